import type { LoadFigures } from '../results/cell.schema.js'
import { encodeLatency, mergeLatency } from './latency.js'
import type { WorkerTick, WorkerWindow } from '../load/messages.js'
import { addCounts, type Counts, emptyCounts, failed, good, total } from './tally.js'

/** Ms that a request may be open in any case before the end of the interval counts it as failed. */
const OVERDUE_MS = 1000

/** The last whole second of all load workers together. */
export interface Tick {
  good: number
  failed: number
  /** of 2xx answers; 0 when there was none */
  p50Us: number
  p99Us: number
}

/** What was measured between the two cuts of a window. */
export type WindowFigures = Omit<LoadFigures, 'whole' | 'latencyUs' | 'latencyMs'> & {
  latencyUs: string
  /** 99th percentile of the event loop's delay in each load worker */
  eventLoopP99Ms: number[]
}

/** All requests from the first to the last. */
export type WholeFigures = LoadFigures['whole']

export function mergeWindows(windows: readonly WorkerWindow[]): WindowFigures {
  const { completed, statuses, errors, lost, checked, mismatched } = sum(windows.map(({ tally }) => tally))
  const seconds = Math.min(...windows.map(({ perSecond }) => perSecond.length))
  const latency = mergeLatency(windows.map(({ tally }) => tally.latencyUs))
  const bound = Math.max(OVERDUE_MS, latency.getValueAtPercentile(99) / 1000)
  return {
    elapsedMs: windows.reduce((all, { elapsedMs }) => all + elapsedMs, 0) / windows.length,
    completed,
    statuses,
    errors,
    lost,
    checked,
    mismatched,
    perSecond: Array.from({ length: seconds }, (_, second) =>
      windows.reduce((all, { perSecond }) => all + perSecond[second]!, 0)
    ),
    latencyUs: encodeLatency(latency),
    overdue: windows.flatMap(({ openMs }) => openMs).filter(ms => ms > bound).length,
    connections: windows.map(({ connections }) => connections),
    eventLoopP99Ms: windows.map(({ eventLoopP99Ms }) => eventLoopP99Ms)
  }
}

export function mergeWholes(counts: readonly Counts[]): WholeFigures {
  const { ok, completed, errors, lost } = sum(counts)
  return { ok, completed, errors: total(errors), lost }
}

export function mergeTicks(ticks: readonly WorkerTick[]): Tick {
  const counts = sum(ticks.map(({ tally }) => tally))
  const latency = mergeLatency(ticks.map(({ tally }) => tally.latencyUs))
  return {
    good: good(counts),
    failed: failed(counts),
    p50Us: latency.getValueAtPercentile(50),
    p99Us: latency.getValueAtPercentile(99)
  }
}

function sum(counts: readonly Counts[]): Counts {
  const all = emptyCounts()
  for (const some of counts) addCounts(all, some)
  return all
}
