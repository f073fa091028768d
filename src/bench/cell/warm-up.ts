import { setTimeout as pause } from 'node:timers/promises'
import { successes } from '../samples/answers.js'
import type { Load } from '../load/generator.js'
import type { WarmUp } from '../options.js'
import type { Cell } from '../results/cell.schema.js'

/** Intervals that must agree. */
const AGREEING = 3
/** Share of their median by which they may differ. */
const TOLERANCE = 0.1

/**
 * Lets a load run until its throughput is steady, or for as many intervals as there may be.
 * @throws when the signal is aborted
 */
export async function warmUp(load: Load, { intervalMs, most }: WarmUp, signal: AbortSignal): Promise<Cell['warmUp']> {
  const intervals: number[] = []
  let seconds = 0
  while (intervals.length < most && !isSteady(intervals)) {
    const interval = await load.beginInterval()
    await pause(intervalMs, undefined, { signal })
    const { elapsedMs, statuses } = await interval.end()
    intervals.push(successes(statuses) / (elapsedMs / 1000))
    seconds += elapsedMs / 1000
  }
  return { seconds, windows: intervals, steady: isSteady(intervals) }
}

/** Whether the last intervals agree; a throughput of nothing is not a steady one. */
export function isSteady(intervals: readonly number[]): boolean {
  const last = intervals.slice(-AGREEING).toSorted((a, b) => a - b)
  if (last.length < AGREEING) return false
  const [lowest, median, highest] = [last[0]!, last[1]!, last[2]!]
  return median > 0 && highest - lowest <= TOLERANCE * median
}
