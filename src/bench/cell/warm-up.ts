import { setTimeout as pause } from 'node:timers/promises'
import { successes } from '../analysis/figures.js'
import type { Load } from '../load/generator.js'
import type { WarmUp } from '../cli/options.js'
import type { Cell } from '../results/cell.schema.js'

/** Windows that must agree. */
const AGREEING = 3
/** Share of their median by which they may differ. */
const TOLERANCE = 0.1

/**
 * Lets a load run until its throughput is steady, or for as many windows as there may be.
 * @throws when the signal is aborted
 */
export async function warmUp(load: Load, { windowMs, most }: WarmUp, signal: AbortSignal): Promise<Cell['warmUp']> {
  const windows: number[] = []
  let seconds = 0
  while (windows.length < most && !isSteady(windows)) {
    const window = await load.beginWindow()
    await pause(windowMs, undefined, { signal })
    const { elapsedMs, statuses } = await window.end()
    windows.push(successes(statuses) / (elapsedMs / 1000))
    seconds += elapsedMs / 1000
  }
  return { seconds, windows, steady: isSteady(windows) }
}

/** Whether the last windows agree; a throughput of nothing is not a steady one. */
export function isSteady(windows: readonly number[]): boolean {
  const last = windows.slice(-AGREEING).toSorted((a, b) => a - b)
  if (last.length < AGREEING) return false
  const [lowest, median, highest] = [last[0]!, last[1]!, last[2]!]
  return median > 0 && highest - lowest <= TOLERANCE * median
}
