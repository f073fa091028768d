import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

/** Below the range from which Linux takes the ports of outgoing connections: a server that restarts finds its own free. */
const LOWEST = 20_000
const HIGHEST = 32_000

/** `count` different ports of 127.0.0.1 on which nothing listens. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let looks = 0; found.size < count; looks++) {
    if (looks === 1000) throw new Error(`no ${count} free ports from ${LOWEST} to ${HIGHEST}`)
    const port = randomInt(LOWEST, HIGHEST)
    if (!found.has(port) && (await isFree(port))) found.add(port)
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
