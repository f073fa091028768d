import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack } from '../../src/bench/stack/stack.js'
import { realBodies } from '../../scripts/speed/bodies.js'
import { wrk } from '../../scripts/speed/processes.js'
import { readProcess } from '../../src/bench/watch/proc.js'
import { median, range } from '../../scripts/speed/report.js'

/**
 * What HAProxy costs a request: one replica, 200 connections, direct and through the shipped haproxy.cfg in turns. The throughput that
 * the CPU leaves is that of direct, times CPU a request direct to CPU a request of replica and HAProxy together.
 *   tsx experiments/0007-haproxy-cost/main.ts --rounds 6 --seconds 3
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '200' },
    port: { type: 'string', default: '18160' }
  }
})

const cpuSeconds = (pid: number) => readProcess(pid).cpuSeconds

const folder = mkdtempSync(join(tmpdir(), 'haproxy-cost-'))
process.env.SPEED_BODIES = join(folder, 'bodies.jsonl')
writeFileSync(process.env.SPEED_BODIES, realBodies().join('\n'))
const stack = await startStack({ replicas: 1, port: Number(options.port), haproxyEnv: {} })
try {
  await stack.scale(1)
  const replica = stack.replicas[0]!
  const ways = { direct: replica.url, haproxy: stack.url }
  const sample = async (url: string) => {
    const before = [replica.pid, stack.haproxy.pid].map(cpuSeconds)
    const { requests, seconds } = await wrk(url, Number(options.connections), Number(options.seconds))
    const [own, proxy] = [replica.pid, stack.haproxy.pid].map(
      (pid, at) => ((cpuSeconds(pid) - before[at]!) / requests) * 1e6
    )
    return { rps: requests / seconds, replicaUs: own!, haproxyUs: proxy! }
  }
  const rounds: Record<keyof typeof ways, Awaited<ReturnType<typeof sample>>>[] = []
  for (let round = 0; round <= Number(options.rounds); round++) {
    const one = { direct: await sample(ways.direct), haproxy: await sample(ways.haproxy) }
    if (round > 0) rounds.push(one)
  }
  type Round = (typeof rounds)[number]
  const kept = ({ direct, haproxy }: Round) => haproxy.rps / direct.rps
  const left = ({ direct, haproxy }: Round) => direct.replicaUs / (haproxy.replicaUs + haproxy.haproxyUs)
  const figures: [what: string, read: (round: Round) => number, digits: number][] = [
    ['requests/s direct', ({ direct }) => direct.rps, 0],
    ['requests/s through HAProxy', ({ haproxy }) => haproxy.rps, 0],
    ['CPU of the replica a request, direct, us', ({ direct }) => direct.replicaUs, 1],
    ['CPU of the replica a request, through HAProxy, us', ({ haproxy }) => haproxy.replicaUs, 1],
    ['CPU of HAProxy a request, us', ({ haproxy }) => haproxy.haproxyUs, 1],
    ['throughput kept', kept, 2],
    ['throughput that the CPU leaves', left, 2],
    ['kept to what is left', round => kept(round) / left(round), 2]
  ]
  for (const [what, read, digits] of figures) {
    const values = rounds.map(read)
    process.stdout.write(`${what}: ${median(values).toFixed(digits)} (${range(values, digits)})\n`)
  }
} finally {
  await stack.stop()
  rmSync(folder, { recursive: true })
}
