import { setTimeout as pause } from 'node:timers/promises'
import { monotonicMs } from '../../clock.js'
import { BenchError } from '../errors.js'

/** Ms between two looks. */
const LOOK_MS = 20

/**
 * Looks until there is something, and returns it.
 * @throws BenchError `start_failed` when there is nothing within `limitMs`, with what was waited for
 */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false>,
  limitMs = 30_000
): Promise<Found> {
  const end = monotonicMs() + limitMs
  while (monotonicMs() < end) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await pause(LOOK_MS)
  }
  throw new BenchError('start_failed', `not within ${limitMs / 1000} s: ${what}`)
}
