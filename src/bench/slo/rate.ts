import { setTimeout as pause } from 'node:timers/promises'
import { goodOf } from '../analysis/figures.js'
import type { RateFigures } from './search.js'
import { hostShares, readHost } from '../watch/proc.js'
import { type LoadOptions, startLoad } from '../load/generator.js'
import { mergeLatency } from '../samples/latency.js'
import { total } from '../samples/tally.js'

export interface RateTrial {
  order: LoadOptions & { ratePerSecond: number }
  warmUpMs: number
  durationMs: number
}

/**
 * Measures one rate in an open loop: warm-up, interval, drain. Nothing is left running, whatever happens.
 * @throws when the signal is aborted
 */
export async function measureRate(
  { order, warmUpMs, durationMs }: RateTrial,
  signal: AbortSignal
): Promise<RateFigures> {
  const load = await startLoad(order)
  try {
    await pause(warmUpMs, undefined, { signal })
    const interval = await load.beginInterval()
    const before = readHost()
    await pause(durationMs, undefined, { signal })
    const {
      completed,
      errors,
      lost,
      checked,
      mismatched,
      statuses,
      latencyUs,
      overdue = 0,
      eventLoopP99Ms
    } = await interval.end()
    const { busyShare } = hostShares(before, readHost())
    await load.drain()
    const { dropped = 0, ...broken } = errors
    const good = goodOf({ statuses, checked, mismatched })
    return {
      ratePerSecond: order.ratePerSecond,
      p99Ms: mergeLatency([latencyUs]).getValueAtPercentile(99) / 1000,
      good,
      failed: completed - good + lost + overdue + total(broken),
      dropped,
      lateMs: Math.max(...eventLoopP99Ms),
      hostBusy: busyShare
    }
  } finally {
    await load.kill()
  }
}
