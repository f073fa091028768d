import type { LoadFigures } from '../results/cell.schema.js'
import { encodeLatency, mergeLatency } from './latency.js'
import { addCounts, type Counts, emptyCounts, type EncodedTally, failed, good, total } from './tally.js'

/** Ms that a request may be open in any case before the end of the interval counts it as failed. */
const OVERDUE_MS = 1000

/** What one load worker measured in an interval. */
export interface WorkerInterval {
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

/** The second that ended at `at`, which is the same in every worker. */
export interface WorkerTick {
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

export function mergeIntervals(intervals: readonly WorkerInterval[]): IntervalFigures {
  const { completed, statuses, errors, lost, checked, mismatched } = sum(intervals.map(({ tally }) => tally))
  const seconds = Math.min(...intervals.map(({ perSecond }) => perSecond.length))
  const latency = mergeLatency(intervals.map(({ tally }) => tally.latencyUs))
  const bound = Math.max(OVERDUE_MS, latency.getValueAtPercentile(99) / 1000)
  return {
    elapsedMs: intervals.reduce((all, { elapsedMs }) => all + elapsedMs, 0) / intervals.length,
    completed,
    statuses,
    errors,
    lost,
    checked,
    mismatched,
    perSecond: Array.from({ length: seconds }, (_, second) =>
      intervals.reduce((all, { perSecond }) => all + perSecond[second]!, 0)
    ),
    latencyUs: encodeLatency(latency),
    overdue: intervals.flatMap(({ openMs }) => openMs).filter(ms => ms > bound).length,
    connections: intervals.map(({ connections }) => connections),
    eventLoopP99Ms: intervals.map(({ eventLoopP99Ms }) => eventLoopP99Ms)
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
