import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { bodyOf, gru, type TestBundle } from './bundles.js'
import { eventually } from './eventually.js'
import { goldenAnswer } from './golden.js'
import { type Entry, Ledger } from './ledger.js'
import { unhandled } from './unhandled.js'

/** What callers ask: a service, replicas behind HAProxy, or an address alone. */
export interface Target {
  url: string
  /** the test's own, where the callers' requests stand in it too */
  ledger?: Ledger
  /** what is printed there, and the process, where the test has them */
  lines?: readonly string[]
  process?: { readonly exitCode: number | null }
}

/** Models by the version that answers name. */
export type Versions = Record<string, { bundle: TestBundle }>

/** Who calls, and what may come back beside the right forecast with status 200. */
export interface LoadOptions {
  /** 8 where left out */
  callers?: number
  /** whose golden windows are sent, and whose forecasts are right where no versions are given: the promoted model's */
  bundle?: TestBundle
  /** steps of each forecast: 1 */
  steps?: number
  /** bytes that bodies are padded to with spaces, as JSON may be, in turn */
  sizes?: readonly number[]
  /** requests a second of all callers together, at the most: without it, each sends as soon as it is answered */
  rate?: number
  /** further statuses that this test allows */
  allowed?: readonly number[]
  /** the versions that must each answer, and with whose forecasts */
  versions?: Versions
  /** the versions that may answer too */
  optional?: Versions
}

/** Callers beside stores and trials of models, which have work to do, too. */
export const GENTLE = { callers: 16, rate: 100 }

/** Callers under way. */
export interface Load {
  /** what they got, in the order in which it came; what is lost stands here, too */
  readonly answers: readonly Entry[]
  /** resolves when they have got `more` answers from now on; throws when not within `limitMs` */
  answered(more: number, limitMs?: number): Promise<unknown>
  /** lets each caller end, and fails the test on an answer that is lost, wrong, or not allowed */
  stop(t: Test): Promise<void>
}

/** These versions, each of which is the promoted model. */
export const promotedAs = (...names: string[]): Versions =>
  Object.fromEntries(names.map(name => [name, { bundle: gru() }]))

/** Does something again and again in `count` loops; the function returned ends them and waits for what is under way. */
export function repeat(count: number, work: () => Promise<unknown>): () => Promise<void> {
  const state = { told: false }
  const all = Promise.all(
    Array.from({ length: count }, async () => {
      // Once more when told: what was changed last is met too.
      for (let isLast = false; !isLast;) {
        isLast = state.told
        await work()
      }
    })
  )
  // A failure is told of where the end is awaited.
  all.catch(() => undefined)
  return async () => {
    state.told = true
    await all
  }
}

/** Starts callers, each of whom asks for the forecast of one golden window after the other. `stop` must be called. */
export function startLoad(target: Target, options: LoadOptions = {}): Load {
  const { callers = 8, bundle = gru(), steps, sizes = [0], rate } = options
  const ledger = target.ledger ?? new Ledger(target.url)
  const windows = bundle.golden.windows.length
  const bodies = Array.from({ length: windows }, (_, index) => JSON.stringify(bodyOf(bundle, index, steps)))
  const answers: Entry[] = []
  let next = 0
  const end = repeat(callers, async () => {
    const index = next++
    const window = index % windows
    const entry = await ledger.send(bodies[window]!.padEnd(sizes[index % sizes.length]!, ' '))
    entry.wrong ||= !isRight(entry, window, { ...options, bundle })
    answers.push(entry)
    if (rate !== undefined) await pause((callers * 1000) / rate)
  })
  return {
    answers,
    answered(more, limitMs) {
      const wanted = answers.length + more
      return eventually(`${more} more answers`, () => answers.length >= wanted, limitMs)
    },
    async stop(t) {
      await end()
      if (ledger !== target.ledger) ledger.close()
      account(t, answers, options)
      if (target.process) t.equal(target.process.exitCode, null, 'the process goes on')
      const { lines } = target
      if (lines) t.same(unhandled({ lines }), [], 'nothing is left unhandled')
    }
  }
}

/** Lets callers call while `work` lasts, from before it begins to after its end, and holds what they got to what is allowed. */
export async function underLoad(
  t: Test,
  target: Target,
  options: LoadOptions,
  work: (load: Load) => Promise<unknown>
): Promise<readonly Entry[]> {
  const load = startLoad(target, options)
  try {
    // However fast the work is, what served before it has answered.
    await load.answered(1)
    await work(load)
  } finally {
    await load.stop(t)
  }
  return load.answers
}

/** Whether an answer is no forecast, or the one of the model that gave it. */
function isRight({ status, json }: Entry, window: number, options: LoadOptions & { bundle: TestBundle }): boolean {
  if (status !== 200) return true
  const { versions, optional, bundle, steps = 1 } = options
  const model = versions ? { ...versions, ...optional }[String(json?.model_version)]?.bundle : bundle
  const { predictions } = json ?? {}
  // Later steps also hang on the batch's size, by rounding: rollouts.test.ts compares them.
  const first = predictions?.length === steps ? predictions.slice(0, 1) : []
  return model !== undefined && goldenAnswer(model, window)(first)
}

/** Fails the test on what is lost, wrong or not allowed, a few of each; and counts, for the reader. */
function account(t: Test, answers: readonly Entry[], { allowed = [], versions, optional = {} }: LoadOptions): void {
  const statuses = [200, ...allowed]
  const lost = answers.filter(({ status }) => status === 0)
  const wrong = answers.filter(entry => entry.wrong)
  const others = answers.filter(({ status }) => status !== 0 && !statuses.includes(status))
  t.comment(`sent ${answers.length}, lost ${lost.length}, wrong ${wrong.length}, not allowed ${others.length}`)
  t.same(lost.slice(0, 3), [], 'no request is lost')
  t.same(wrong.slice(0, 3), [], 'no answer is wrong, and none is of a version that was not live')
  t.same(others.slice(0, 3), [], `callers see ${statuses.join(', ')} and nothing else`)
  if (versions === undefined) return
  const named = new Set(answers.flatMap(({ status, json }) => (status === 200 ? [String(json?.model_version)] : [])))
  const missing = Object.keys(versions).filter(version => !named.has(version))
  t.same(missing, [], `each version that was live answered: ${Object.keys({ ...versions, ...optional }).join(', ')}`)
}
