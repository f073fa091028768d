import os from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { checkCell } from './analysis/checks.js'
import { findLimiter } from './analysis/limiter.js'
import type { Case } from './load/cases.js'
import { type Load, startLoad } from './load/generator.js'
import { mergeLatency } from './load/latency.js'
import type { WindowFigures } from './load/merge.js'
import type { WarmUp } from './options.js'
import type { Cell, PlannedCell } from './results/cell.schema.js'
import type { HaproxyStats } from './stack/runtime-api.js'
import type { Target } from './target.js'
import { warmUp } from './warm-up.js'
import {
  hostFigures,
  processFigures,
  type Reading,
  replicaFigures,
  scrapeAll,
  takeReading,
  type WatchedReplica
} from './watch/reading.js'

/** Of this many answers one is compared with the expected forecast. */
const CHECK_EVERY = 50
/** Ms after which a request without an answer has failed. */
const TIMEOUT_MS = 10_000

export interface CellOrder {
  plan: PlannedCell
  /** its place in the sweep, from 0 */
  order: number
  seed: number
  warmUp: WarmUp
  /** what is sent, and what must come back */
  cases: readonly Case[]
}

/** Who wants to know how a cell goes. */
export interface CellWatcher {
  began(stage: 'warm-up' | 'window'): void
  tick(tick: { good: number; failed: number; p50Us: number; p99Us: number }): void
}

/** What was read at both ends of the measured window, and of the whole cell. */
interface Measured {
  startedAt: string
  warmUp: Cell['warmUp']
  window: WindowFigures
  whole: Cell['load']['whole']
  readings: readonly [Reading, Reading]
  haproxy: readonly [HaproxyStats, HaproxyStats] | null
  replicas: readonly WatchedReplica[]
  wholeOk: number[]
  connections: number | null
}

/**
 * Measures one cell: scale, warm up, cut a window out of the running load, drain, check.
 * @throws the signal's reason when it is aborted, and BenchError when a part fails; no load is left then
 */
export async function runCell(
  order: CellOrder,
  target: Target,
  watcher: CellWatcher,
  signal: AbortSignal
): Promise<Cell> {
  const { plan, cases } = order
  const startedAt = new Date().toISOString()
  const replicas = await target.scale(plan.replicas)
  const before = await scrapeAll(replicas)
  const load = await startLoad({
    url: `${target.url}/predict`,
    users: plan.users,
    workers: plan.workers,
    thinkMs: plan.thinkMs,
    bodies: cases.map(({ body }) => body),
    expected: cases,
    checkEvery: CHECK_EVERY,
    seed: order.seed,
    timeoutMs: TIMEOUT_MS
  })
  try {
    load.onTick(tick => watcher.tick(tick))
    watcher.began('warm-up')
    const warm = await warmUp(load, order.warmUp, signal)
    watcher.began('window')
    const cut = await measureWindow(load, { target, replicas, durationMs: plan.durationMs, signal })
    const whole = await load.drain()
    const after = await scrapeAll(replicas)
    const wholeOk = after.map(({ ok }, index) => ok - before[index]!.ok)
    return assemble(order, target, { startedAt, warmUp: warm, ...cut, whole, replicas, wholeOk })
  } finally {
    await load.kill()
  }
}

interface WindowOrder {
  target: Target
  replicas: readonly WatchedReplica[]
  durationMs: number
  signal: AbortSignal
}

async function measureWindow(load: Load, { target, replicas, durationMs, signal }: WindowOrder) {
  const watched = { replicas, haproxyPid: target.haproxy?.pid ?? null, generatorPids: load.pids }
  await target.haproxy?.clearMaxima()
  const haproxyFirst = await target.haproxy?.stats()
  const first = await takeReading(watched)
  const running = await load.beginWindow()
  await pause(durationMs, undefined, { signal })
  const window = await running.end()
  const last = await takeReading(watched)
  const haproxyLast = await target.haproxy?.stats()
  const connections = await target.connections()
  const haproxy = haproxyFirst && haproxyLast ? ([haproxyFirst, haproxyLast] as const) : null
  return { window, readings: [first, last] as const, haproxy, connections }
}

function assemble({ plan, order }: CellOrder, target: Target, measured: Measured): Cell {
  const { startedAt, warmUp, whole, readings, replicas, wholeOk, connections } = measured
  const { eventLoopP99Ms: delays, ...window } = measured.window
  const [first, last] = readings
  const load = { ...window, whole }
  const latencyMs = mergeLatency([load.latencyUs]).mean / 1000
  const generator = { ...processFigures(first.generator, last.generator), eventLoopP99Ms: Math.max(...delays) }
  const figures = replicaFigures(replicas, readings, wholeOk)
  const haproxy = haproxyFigures(measured)
  const host = hostFigures(first, last, os.cpus().length)
  const serversOk = replicas.length > 0 ? wholeOk.reduce((sum, ok) => sum + ok, 0) : null
  const digests = readings.flatMap(reading => reading.replicas.map(({ counters }) => counters.digest))
  return {
    schema: 1,
    ...{ plan, order, startedAt, warmUp, load, replicas: figures, haproxy, generator, host },
    checks: checkCell({ plan, load, warmUp, generator, latencyMs, connections, serversOk, digests }),
    limiter: findLimiter({
      ...{ thinkMs: plan.thinkMs, users: plan.users, elapsedMs: load.elapsedMs, latencyMs, generator, haproxy },
      hostBusy: target.isHere ? host.busyShare : null,
      cores: host.cores,
      replicas: figures.map(({ cpuSeconds }) => cpuSeconds)
    }),
    notes: []
  }
}

function haproxyFigures({ readings, haproxy, connections }: Measured): Cell['haproxy'] {
  const [before, after] = [readings[0].haproxy, readings[1].haproxy]
  if (!before || !after || !haproxy) return null
  const { cpuSeconds, rssBytes } = processFigures([before], [after])
  const [first, last] = haproxy
  return {
    cpuSeconds,
    rssBytes,
    retries: last.retries - first.retries,
    redispatches: last.redispatches - first.redispatches,
    queueMax: last.queueMax,
    frontendSessions: connections ?? last.frontendSessions
  }
}
