import type { LoadFigures } from '../results/cell.schema.js'
import { encodeLatency, mergeLatency } from './latency.js'
import { failedOf, goodOf, sum, total } from './answers.js'
import { addCounts, type Counts, emptyCounts, type EncodedTally } from './tally.js'

/** Ms that a request may be open in any case before the end of the interval counts it as failed. */
const OVERDUE_MS = 1000

/** What one load worker measured in an interval. */
export interface LoadWorkerInterval {
  tally: EncodedTally
  elapsedMs: number
  /** good answers by whole second of the interval, without gaps */
  perSecond: number[]
  /** sockets that were open at its end */
  connections: number
  /** ages of the requests that were open at its end, ms */
  openMs: number[]
  eventLoopP99Ms: number
}

/** The second that ended at `at`, which is the same in every load worker. */
export interface LoadWorkerTick {
  tickAt: number
  tally: EncodedTally
}

/** The last whole second of all load workers together. */
export interface Tick {
  good: number
  failed: number
  /** of 2xx answers; 0 when there was none */
  p50Us: number
  p99Us: number
}

/** What was measured between the two cuts of an interval. */
export type IntervalFigures = Omit<LoadFigures, 'whole' | 'latencyUs' | 'latencyMs'> & {
  latencyUs: string
  /** 99th percentile of the event loop's delay in each load worker */
  eventLoopP99Ms: number[]
}

/** All requests from the first to the last. */
export type WholeFigures = LoadFigures['whole']

export function mergeIntervals(intervals: readonly LoadWorkerInterval[]): IntervalFigures {
  const { ok: _ok, ...counts } = addAll(intervals.map(({ tally }) => tally))
  const seconds = Math.min(...intervals.map(({ perSecond }) => perSecond.length))
  const latency = mergeLatency(intervals.map(({ tally }) => tally.latencyUs))
  const bound = Math.max(OVERDUE_MS, latency.getValueAtPercentile(99) / 1000)
  return {
    elapsedMs: sum(intervals.map(({ elapsedMs }) => elapsedMs)) / intervals.length,
    ...counts,
    perSecond: Array.from({ length: seconds }, (_, second) =>
      sum(intervals.map(({ perSecond }) => perSecond[second]!))
    ),
    latencyUs: encodeLatency(latency),
    overdue: intervals.flatMap(({ openMs }) => openMs).filter(ms => ms > bound).length,
    connections: intervals.map(({ connections }) => connections),
    eventLoopP99Ms: intervals.map(({ eventLoopP99Ms }) => eventLoopP99Ms)
  }
}

export function mergeWholes(counts: readonly Counts[]): WholeFigures {
  const { ok, completed, errors, lost } = addAll(counts)
  return { ok, completed, errors: total(errors), lost }
}

export function mergeTicks(ticks: readonly LoadWorkerTick[]): Tick {
  const counts = addAll(ticks.map(({ tally }) => tally))
  const latency = mergeLatency(ticks.map(({ tally }) => tally.latencyUs))
  return {
    good: goodOf(counts),
    failed: failedOf(counts),
    p50Us: latency.getValueAtPercentile(50),
    p99Us: latency.getValueAtPercentile(99)
  }
}

function addAll(counts: readonly Counts[]): Counts {
  const all = emptyCounts()
  for (const some of counts) addCounts(all, some)
  return all
}
