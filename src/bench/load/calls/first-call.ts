import { BenchError } from '../../errors.js'
import type { Case } from '../cases.js'
import { post } from '../post.js'
import { type CallPlan, makeCalls } from './calls.js'
import { PROTOCOLS } from './protocol.js'

/**
 * Sends one call alone, before a load of such calls: a call that the target never takes is no load.
 * @param url of the route
 * @throws BenchError `bad_flag` when the target refuses the call or a window of it, `target_down` when it does not answer
 */
export async function firstCall(url: string, cases: readonly Case[], plan: CallPlan): Promise<void> {
  const bodies = cases.map(({ body }) => body)
  const { request } = makeCalls(bodies, cases, plan)[0]!
  const what = `a call with ${plan.windows} window${plan.windows === 1 ? '' : 's'}`
  const answer = await post(url, request, what)
  const failures = PROTOCOLS[plan.protocol].failures?.(answer) ?? []
  if (failures.length === 0) return
  throw new BenchError(
    'bad_flag',
    `${url} fails ${failures.length} windows of ${what}: ${[...new Set(failures)].join()}`
  )
}
