import type { CallForm } from '../../results/calls.js'
import type { Expectation } from '../expected.js'
import { type CallRequest, PROTOCOLS, type WindowForm } from './protocol.js'

/** Different calls that a load has at the least, where the windows of one are only a part of all. */
const MINIMUM_CALLS = 16

/** How a load's requests are made of bodies. */
export type CallPlan = CallForm & WindowForm

/** One window a request, to `POST /predict`. */
export const ONE_WINDOW: CallPlan = { protocol: 'predict', windows: 1, features: [], rows: 0 }

/** A request, and what must come back for each of its windows; null where that is not known of one. */
export interface Call {
  request: CallRequest
  expected: readonly Expectation[] | null
}

/**
 * The calls of a load: each has `windows` neighbouring bodies, and goes on with the first body after the last. Calls begin at places
 * spread evenly over all bodies, so that every body is sent.
 * @param expected aligned with `bodies`
 * @throws BenchError `bad_flag` for a body that the protocol cannot carry
 */
export function makeCalls(
  bodies: readonly string[],
  expected: readonly (Expectation | null)[],
  plan: CallPlan
): Call[] {
  const all = bodies.length
  const count = Math.min(all, Math.max(MINIMUM_CALLS, Math.ceil(all / plan.windows)))
  return Array.from({ length: count }, (_, call) => {
    const first = Math.floor((call * all) / count)
    const places = Array.from({ length: plan.windows }, (_, window) => (first + window) % all)
    const known = places.flatMap(place => expected[place] ?? [])
    return {
      request: PROTOCOLS[plan.protocol].encode(
        places.map(place => bodies[place]!),
        plan
      ),
      expected: known.length === places.length ? known : null
    }
  })
}
