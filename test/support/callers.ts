import { bodyOf, type TestBundle } from './bundles.js'
import { goldenAnswer } from './golden.js'
import type { Ledger } from './ledger.js'

/** Callers in a closed loop. */
export interface Callers {
  /** lets each finish the request that it has under way */
  stop(): Promise<void>
}

/** Bytes of a body, from as it is to what still fits HAProxy's buffer. */
export const BODY_SIZES = [0, 14_000, 16_384, 60_000]

/**
 * Starts `count` callers, each of whom asks for the forecast of one golden window after the other. Bodies are padded with
 * spaces, as JSON may be, to the sizes in turn.
 */
export function callers(ledger: Ledger, bundle: TestBundle, count: number, sizes: readonly number[] = [0]): Callers {
  const windows = bundle.golden.windows.length
  const bodies = Array.from({ length: windows }, (_, index) => JSON.stringify(bodyOf(bundle, index)))
  const state = { going: true }
  let next = 0
  const caller = async () => {
    while (state.going) {
      const index = next++
      const window = index % windows
      const body = bodies[window]!.padEnd(sizes[index % sizes.length]!, ' ')
      await ledger.send(body, { right: goldenAnswer(bundle, window) })
    }
  }
  const all = Promise.all(Array.from({ length: count }, caller))
  return {
    async stop() {
      state.going = false
      await all
    }
  }
}
