import { setTimeout as pause } from 'node:timers/promises'
import type { CallPlan } from '../load/calls/calls.js'
import type { Case } from '../load/cases.js'
import { FAILURES, type Load, type LoadOptions, startLoad } from '../load/generator.js'
import { cellRecord } from './cell-record.js'
import type { WarmUp } from '../options.js'
import type { Cell, PlannedCell } from '../results/cell.schema.js'
import type { Target } from '../stack/target.js'
import { warmUp } from './warm-up.js'
import { countAnswers, processFigures, takeReading, type WatchedReplica } from '../watch/reading.js'

export interface CellRequest {
  plan: PlannedCell
  /** its place in the sweep, from 0 */
  order: number
  seed: number
  warmUp: WarmUp
  /** what is sent, and what must come back */
  cases: readonly Case[]
  /** how the bodies go into calls, and where these are posted to */
  calls: CallPlan
  path: string
  /** port of the generator's own page, where it has one and the page is wanted */
  uiPort?: number | undefined
}

/** Who wants to know how a cell goes. */
export interface CellWatcher {
  began(stage: 'warm-up' | 'measured interval'): void
  tick(tick: { good: number; failed: number; p50Us: number; p99Us: number }): void
}

/**
 * Measures one cell: scale, warm up, cut an interval out of the running load, drain, check.
 * @throws the signal's reason when it is aborted, and BenchError when a part fails; no load is left then
 */
export async function runCell(
  order: CellRequest,
  target: Target,
  watcher: CellWatcher,
  signal: AbortSignal
): Promise<Cell> {
  const { plan } = order
  const startedAt = new Date().toISOString()
  const replicas = await target.scale(plan.replicas)
  const answersOfReplicas = await countAnswers(replicas)
  const load = await startLoad(loadOptions(order, target))
  try {
    load.onTick(tick => watcher.tick(tick))
    watcher.began('warm-up')
    const warm = await warmUp(load, order.warmUp, signal)
    watcher.began('measured interval')
    const cut = await measureInterval(load, { target, replicas, durationMs: plan.durationMs, signal })
    const whole = await load.drain()
    const wholeOk = await answersOfReplicas()
    const { interval, ...read } = cut
    const { eventLoopP99Ms, ...figures } = interval
    const generator = {
      ...processFigures(read.readings[0].generator, read.readings[1].generator),
      eventLoopP99Ms: Math.max(...eventLoopP99Ms)
    }
    return cellRecord(
      {
        plan,
        order: order.order,
        startedAt,
        warmUp: warm,
        replicas,
        wholeOk,
        generator,
        notes: [],
        ...read,
        load: { ...figures, windows: order.calls.windows, latencyMs: null, whole }
      },
      target
    )
  } finally {
    await load.kill()
  }
}

function loadOptions({ plan, cases, calls, path, seed }: CellRequest, { url }: Target): LoadOptions {
  return {
    url: `${url}${path}`,
    users: plan.users,
    loadWorkers: plan.workers,
    thinkMs: plan.thinkMs,
    bodies: cases.map(({ body }) => body),
    expected: cases,
    calls,
    seed,
    ...FAILURES
  }
}

interface IntervalRequest {
  target: Target
  replicas: readonly WatchedReplica[]
  durationMs: number
  signal: AbortSignal
}

async function measureInterval(load: Load, { target, replicas, durationMs, signal }: IntervalRequest) {
  const watched = { replicas, haproxyPid: target.haproxy?.pid ?? null, generatorPids: load.pids }
  await target.haproxy?.clearMaxima()
  const haproxyFirst = await target.haproxy?.stats()
  const first = await takeReading(watched)
  const running = await load.beginInterval()
  await pause(durationMs, undefined, { signal })
  const interval = await running.end()
  const last = await takeReading(watched)
  const haproxyLast = await target.haproxy?.stats()
  const connections = await target.connections()
  const haproxy = haproxyFirst && haproxyLast ? ([haproxyFirst, haproxyLast] as const) : null
  return { interval, readings: [first, last] as const, haproxy, connections }
}
