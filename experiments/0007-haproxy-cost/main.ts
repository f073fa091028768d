import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack } from '../../src/bench/stack/stack.js'
import { realBodies } from '../../scripts/speed/bodies.js'
import { wrk } from '../../scripts/speed/processes.js'
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
const TICKS_PER_SECOND = 100

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

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
  const left = rounds.map(({ direct, haproxy }) => direct.replicaUs / (haproxy.replicaUs + haproxy.haproxyUs))
  const kept = rounds.map(({ direct, haproxy }) => haproxy.rps / direct.rps)
  const show = (what: string, values: number[], digits = 2) =>
    process.stdout.write(`${what}: ${median(values).toFixed(digits)} (${range(values, digits)})\n`)
  show(
    'requests/s direct',
    rounds.map(({ direct }) => direct.rps),
    0
  )
  show(
    'requests/s through HAProxy',
    rounds.map(({ haproxy }) => haproxy.rps),
    0
  )
  show(
    'CPU of the replica a request, direct, us',
    rounds.map(({ direct }) => direct.replicaUs),
    1
  )
  show(
    'CPU of the replica a request, through HAProxy, us',
    rounds.map(({ haproxy }) => haproxy.replicaUs),
    1
  )
  show(
    'CPU of HAProxy a request, us',
    rounds.map(({ haproxy }) => haproxy.haproxyUs),
    1
  )
  show('throughput kept', kept)
  show('throughput that the CPU leaves', left)
  show(
    'kept to what is left',
    kept.map((value, at) => value / left[at]!)
  )
} finally {
  await stack.stop()
  rmSync(folder, { recursive: true })
}
