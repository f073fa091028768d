import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

/** Below the range from which Linux takes the ports of outgoing connections: a server that restarts finds its own free. */
const LOWEST = 20_000
/** Each process takes from a share of its own: what one has found is not taken by another before it is listened on. */
const SHARES = 60
const SHARE = 200

/** Looked at in this process; one that was found is perhaps not listened on yet. */
const given = new Set<number>()

/** `count` different ports of 127.0.0.1 on which nothing listens. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  const lowest = LOWEST + (process.pid % SHARES) * SHARE
  for (let looks = 0; found.size < count; looks++) {
    if (looks === 1000) throw new Error(`no ${count} free ports from ${lowest} on`)
    const port = randomInt(lowest, lowest + SHARE)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
