import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Case, loadCases } from '../../src/bench/load/cases.js'
import { FAILURES, type LoadOptions, startLoad } from '../../src/bench/load/generator.js'
import { goodOf, total } from '../../src/bench/samples/answers.js'
import { mergeLatency } from '../../src/bench/samples/latency.js'
import { type Replica } from '../../src/bench/stack/replica.js'
import { startStack } from '../../src/bench/stack/stack.js'
import { askModel } from '../../src/bench/stack/model.js'
import { median } from '../../scripts/speed/report.js'
import { counters, refusalP99Ms } from './replica.js'

/**
 * The goodput curve of docs/guides/limits.md: good answers a second where 0.5 to 8 times the capacity is offered in an open loop, for
 * forecasts of 1 and of 30 steps, direct and through HAProxy. One replica has a core of its own (taskset), the load and HAProxy
 * have the other one, so that a larger load takes nothing from what is measured. The capacity is what a closed loop gets.
 *   tsx experiments/0016-goodput/main.ts --rounds 3 --seconds 5 --raw results/goodput.jsonl
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    port: { type: 'string', default: '18140' },
    connections: { type: 'string', default: '1000' },
    steps: { type: 'string', multiple: true, default: ['1', '30'] },
    way: { type: 'string', multiple: true, default: ['direct', 'haproxy'] },
    factor: { type: 'string', multiple: true, default: ['0.5', '1', '1.5', '2', '4', '8'] },
    raw: { type: 'string' }
  }
})
const WARM_UP_MS = 2000
const REPLICA_CORE = 0
const LOAD_CORE = 1
/** Users of the closed loop that the capacity is measured with. */
const CAPACITY_USERS = 128
const LOAD_WORKERS = 2

interface Point {
  round: number
  way: string
  steps: number
  /** offered to capacity; 0 for the measurement of the capacity itself */
  factor: number
  /** a second */
  offered: number
  sent: number
  good: number
  /** of good answers, from the planned send time, in ms */
  p50Ms: number
  p99Ms: number
  /** answers by status, errors by kind, over the interval */
  ends: Record<string, number>
  wrong: number
  /** rows that the model ran to the rows in good answers */
  rowsRun: number
  /** of the replica, µs for each request that was sent */
  cpuUs: number
  /** at the replica: 99 % of its refusals took at most so long, in ms */
  refusalP99Ms: number | null
}

const pin = (pid: number, core: number) => void execFileSync('taskset', ['-a', '-c', '-p', `${core}`, `${pid}`])

interface Trial {
  way: string
  url: string
  replica: Replica
  cases: readonly Case[]
  steps: number
  round: number
}

async function measure(trial: Trial, factor: number, rate: number): Promise<Point> {
  const { url, cases, replica, steps } = trial
  const order: LoadOptions = {
    url: `${url}/predict`,
    users: factor === 0 ? CAPACITY_USERS : Number(options.connections),
    loadWorkers: LOAD_WORKERS,
    thinkMs: 0,
    bodies: cases.map(({ body }) => body),
    expected: cases,
    seed: 1,
    ...FAILURES,
    ...(factor > 0 && { ratePerSecond: rate })
  }
  const load = await startLoad(order)
  try {
    for (const pid of load.pids) pin(pid, LOAD_CORE)
    await pause(WARM_UP_MS)
    const before = await counters(replica)
    const interval = await load.beginInterval()
    await pause(Number(options.seconds) * 1000)
    const figures = await interval.end()
    const after = await counters(replica)
    await load.drain()
    const { statuses, errors, completed, mismatched, elapsedMs, latencyUs } = figures
    const latency = mergeLatency([latencyUs])
    const good = goodOf(figures)
    const a = (count: number) => Math.round((count / elapsedMs) * 1e4) / 10
    const { dropped = 0, ...broken } = errors
    const sent = completed + total(broken)
    return {
      round: trial.round,
      way: trial.way,
      steps,
      factor,
      offered: factor === 0 ? a(sent) : Math.round(rate),
      sent: a(sent),
      good: a(good),
      p50Ms: latency.getValueAtPercentile(50) / 1000,
      p99Ms: latency.getValueAtPercentile(99) / 1000,
      ends: { ...statuses, ...broken, ...(dropped > 0 && { dropped }) },
      wrong: mismatched,
      rowsRun: Math.round(((after.rows - before.rows) / Math.max(1, good * steps)) * 100) / 100,
      cpuUs: Math.round(((after.cpuSeconds - before.cpuSeconds) / Math.max(1, sent)) * 1e6),
      refusalP99Ms: refusalP99Ms(before, after)
    }
  } finally {
    await load.kill()
  }
}

function keep(points: Point[], point: Point): void {
  points.push(point)
  process.stderr.write(`${JSON.stringify(point)}\n`)
  if (options.raw) appendFileSync(options.raw, `${JSON.stringify(point)}\n`)
}

/** One replica of its own for each curve: what one leaves behind is not measured with the next. */
async function curve(way: string, steps: number, round: number): Promise<Point[]> {
  const points: Point[] = []
  const stack = await startStack({ replicas: 1, port: Number(options.port), haproxyEnv: {} })
  try {
    await stack.scale(1)
    const [replica] = stack.replicas as [Replica]
    pin(replica.pid, REPLICA_CORE)
    pin(stack.haproxy.pid, LOAD_CORE)
    const cases = await loadCases({ url: replica.url, steps, served: await askModel(replica.url) })
    const trial = { way, steps, round, replica, cases, url: way === 'direct' ? replica.url : stack.url }
    const closed = await measure(trial, 0, 0)
    keep(points, closed)
    for (const factor of options.factor.map(Number)) keep(points, await measure(trial, factor, closed.good * factor))
  } finally {
    await stack.stop()
  }
  return points
}

function table(points: readonly Point[]): string {
  const head = [
    'way',
    'steps',
    'offered / capacity',
    'offered/s',
    'sent/s',
    'good/s',
    'to the peak',
    'P50 ms',
    'P99 ms'
  ]
  const more = ['rows run to rows answered', 'refused in (P99, ms)', 'ends of one round']
  const of = (some: readonly Point[], read: (point: Point) => number) => median(some.map(read))
  const rows = options.way.flatMap(way =>
    options.steps.map(Number).flatMap(steps => {
      const own = points.filter(point => point.way === way && point.steps === steps)
      const factors = [0, ...options.factor.map(Number)]
      const at = (factor: number) => own.filter(point => point.factor === factor)
      const peak = Math.max(...factors.map(factor => of(at(factor), ({ good }) => good)))
      return factors.map(factor => {
        const some = at(factor)
        const good = of(some, ({ good }) => good)
        const refusals = some.map(({ refusalP99Ms }) => refusalP99Ms).filter(ms => ms !== null)
        const cells = [
          ...[way, steps, factor === 0 ? 'closed loop' : factor],
          ...[of(some, ({ offered }) => offered), of(some, ({ sent }) => sent), good].map(value => value.toFixed(0)),
          (good / peak).toFixed(2),
          ...[of(some, ({ p50Ms }) => p50Ms), of(some, ({ p99Ms }) => p99Ms)].map(value => value.toFixed(1)),
          of(some, ({ rowsRun }) => rowsRun).toFixed(2),
          refusals.length === 0 ? '' : median(refusals),
          JSON.stringify(some[0]!.ends).replaceAll('"', '')
        ]
        return `| ${cells.join(' | ')} |`
      })
    })
  )
  const titles = [...head, ...more]
  return [`| ${titles.join(' | ')} |`, `|${titles.map(() => '---').join('|')}|`, ...rows].join('\n')
}

// What the load tells its parent is work too.
pin(process.pid, LOAD_CORE)
const points: Point[] = []
for (let round = 0; round < Number(options.rounds); round++) {
  for (const steps of options.steps.map(Number)) {
    for (const way of options.way) points.push(...(await curve(way, steps, round)))
  }
}
process.stdout.write(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}, `)
process.stdout.write(`${options.rounds} rounds of ${options.seconds} s\n\n${table(points)}\n`)
