import { setTimeout as pause } from 'node:timers/promises'
import { failedOf, goodOf } from '../samples/answers.js'
import type { RateFigures } from './search.js'
import { hostShares, readHost } from '../watch/proc.js'
import { type LoadOptions, startLoad } from '../load/generator.js'
import { mergeLatency } from '../samples/latency.js'

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
    const figures = await interval.end()
    const { busyShare } = hostShares(before, readHost())
    await load.drain()
    const { dropped = 0, ...errors } = figures.errors
    return {
      ratePerSecond: order.ratePerSecond,
      p99Ms: mergeLatency([figures.latencyUs]).getValueAtPercentile(99) / 1000,
      good: goodOf(figures),
      failed: failedOf({ ...figures, errors }),
      dropped,
      lateMs: Math.max(...figures.eventLoopP99Ms),
      hostBusy: busyShare
    }
  } finally {
    await load.kill()
  }
}
