import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { bodyOf, gru } from './bundles.js'
import { eventually } from './eventually.js'
import { type Followed, followingEnv, type ModelState, TOKEN } from './followed.js'
import { goldenAnswer } from './golden.js'
import { type Entry, Ledger } from './ledger.js'
import type { Candidate } from './registered.js'
import { type Service, type ServiceOptions, startService } from './service.js'
import { unhandled } from './under-fault.js'

/** A replica that follows a registry, and its operator. */
export interface Following {
  service: Service
  state(): Promise<ModelState>
  admin(route: 'reload' | 'rollback'): Promise<Entry>
  /** resolves once this version serves */
  serves(version: string, limitMs?: number): Promise<void>
}

/** Starts a replica and ends it with the test. */
export async function follow(t: Test, followed: Followed, options: ServiceOptions = {}): Promise<Following> {
  const service = await startService({ ...options, env: { ...followingEnv(followed), ...options.env } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = new Ledger(service.url)
  t.teardown(() => operator.close())
  const state = async () => (await operator.get('/model')).json as unknown as ModelState
  return {
    service,
    state,
    admin: route => operator.send('{}', { path: `/admin/${route}`, headers: { authorization: `Bearer ${TOKEN}` } }),
    async serves(version, limitMs = 60_000) {
      await eventually(`${version} serves`, async () => (await state()).model?.version === version, limitMs)
    }
  }
}

export interface Load {
  callers: number
  /** by version, whatever may serve while the callers call */
  live: Record<string, Candidate>
}

/** Ms that a caller thinks between two requests, for each caller: some hundred requests a second, however many call. */
const THINK_MS = 10

/**
 * Lets callers call again and again while `work` goes on, and holds what they got to what they were promised: each
 * request answered 200, with the forecast of the version that the answer names. Prints the count.
 */
export async function underCallers(t: Test, service: Service, { callers, live }: Load, work: () => Promise<void>) {
  const ledger = new Ledger(service.url)
  const windows = gru().golden.windows.length
  const bodies = Array.from({ length: windows }, (_, index) => JSON.stringify(bodyOf(gru(), index)))
  const state = { going: true }
  let next = 0
  const all = Promise.all(
    Array.from({ length: callers }, async () => {
      // Each sends once more when the work is done: what that has changed answers too.
      for (let isLast = false; !isLast;) {
        isLast = !state.going
        const index = next++ % windows
        const entry = await ledger.send(bodies[index]!)
        entry.wrong ||= !isOf(live, index, entry)
        await pause(callers * THINK_MS)
      }
    })
  )
  try {
    await work()
  } finally {
    state.going = false
    await all
  }
  const { entries, lost, wrong, statuses } = ledger
  t.comment(`sent ${entries.length}, lost ${lost.length}, wrong ${wrong.length}`)
  t.same(lost, [], 'no request is lost')
  t.same(wrong.slice(0, 3), [], 'no answer is wrong, and each names the version that gave it')
  t.same(Object.keys(statuses), ['200'], 'no caller sees a failure')
  t.same([service.process.exitCode, unhandled(service)], [null, []], 'the process goes on')
  ledger.close()
  return new Set(entries.map(({ json }) => json?.model_version as string))
}

/** Whether a 200 holds the forecast of the version that it names. */
function isOf(live: Load['live'], index: number, { status, json }: Entry): boolean {
  if (status !== 200) return true
  const named = live[String(json?.model_version)]
  return named !== undefined && goldenAnswer(named.bundle, index)(json!.predictions!)
}
