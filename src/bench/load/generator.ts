import { BenchError } from '../errors.js'
import { monotonicMs } from '../../clock.js'
import type { Expectation } from './expected.js'
import {
  mergeTicks,
  mergeWholes,
  mergeIntervals,
  type Tick,
  type WholeFigures,
  type IntervalFigures,
  type WorkerTick
} from '../samples/merge.js'
import type { WorkerOptions } from './messages.js'
import { WorkerProcess } from './worker-process.js'

/** Ms from an order to the cut that it asks for: enough for the order to reach every worker first. */
const CUT_AHEAD_MS = 50

export interface LoadOptions {
  /** where requests are posted to */
  url: string
  /** connections in all; each has one request in flight at the most */
  users: number
  /** load-worker processes, each with a share of the users */
  loadWorkers: number
  /** time that a user waits between an answer and the next request */
  thinkMs: number
  bodies: readonly string[]
  /** aligned with `bodies`; null where an answer cannot be checked */
  expected?: readonly (Expectation | null)[]
  /** one answer in so many is checked */
  checkEvery: number
  seed: number
  /** after which a request without an answer has failed (`timeout`) */
  timeoutMs: number
  /** Poisson arrivals a second over all workers; left out, a user sends again when it has its answer and has thought */
  ratePerSecond?: number
}

/** What every command counts as a failure: a wrong one of 50 answers that is compared, and a request that waits for 10 s. */
export const FAILURES = { checkEvery: 50, timeoutMs: 10_000 } as const satisfies Partial<LoadOptions>

/** A load that goes on until it is drained or killed. */
export interface Load {
  /** of the load workers */
  readonly pids: readonly number[]
  /** called after each whole second */
  onTick(listener: (tick: Tick) => void): void
  /** Begins a measured interval in the running load: at the same moment in all workers. `end` cuts it. */
  beginInterval(): Promise<{ end(): Promise<IntervalFigures> }>
  /** No new requests; waits for the answers in flight, at most the order's timeout; ends the workers. */
  drain(): Promise<WholeFigures>
  /** Ends the workers at once. */
  kill(): Promise<void>
}

/**
 * Starts the load workers and resolves when all of them send.
 * @throws BenchError `bad_flag` for an order that cannot be carried out; `child_died`, here and from everything that a
 * load does, when a load worker has ended
 */
export async function startLoad(order: LoadOptions): Promise<Load> {
  checkOptions(order)
  const load = new RunningLoad(order)
  try {
    await load.start(order)
  } catch (error) {
    await load.kill()
    throw error
  }
  return load
}

function checkOptions({ url, users, loadWorkers, bodies, expected }: LoadOptions): void {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') throw new BenchError('bad_flag', `${url} is no http URL`)
  if (!(loadWorkers >= 1)) throw new BenchError('bad_flag', `there must be a load worker, not ${loadWorkers}`)
  if (users < loadWorkers)
    throw new BenchError('bad_flag', `${users} users cannot be spread over ${loadWorkers} load workers`)
  if (bodies.length === 0) throw new BenchError('bad_flag', 'there is no body to send')
  if (expected && expected.length !== bodies.length)
    throw new BenchError('bad_flag', `${expected.length} expected answers for ${bodies.length} bodies`)
}

/** A part of `whole` for each worker; the first ones get what is left over. */
function shares(whole: number, workers: number): number[] {
  return Array.from({ length: workers }, (_, i) => Math.floor(whole / workers) + (i < whole % workers ? 1 : 0))
}

class RunningLoad implements Load {
  readonly #workers: readonly WorkerProcess[]
  readonly #listeners: ((tick: Tick) => void)[] = []
  /** of seconds that not every worker has told yet, by their end */
  readonly #ticks = new Map<number, WorkerTick[]>()

  constructor({ loadWorkers: count }: LoadOptions) {
    this.#workers = Array.from({ length: count }, (_, i) => new WorkerProcess(`load worker ${i + 1} of ${count}`))
    for (const worker of this.#workers) worker.onTick = tick => this.#onTick(tick)
  }

  get pids(): readonly number[] {
    return this.#workers.map(({ pid }) => pid)
  }

  async start({ users, seed, expected, ...order }: LoadOptions): Promise<void> {
    const each = shares(users, this.#workers.length)
    await this.#ask((worker, i) => {
      const share: WorkerOptions = {
        ...order,
        users: each[i]!,
        // Neighbouring seeds give streams that have nothing to do with each other (xoroshiro128+ is seeded by splitmix).
        seed: seed * this.#workers.length + i,
        expected: expected ?? order.bodies.map(() => null),
        ...(order.ratePerSecond !== undefined && { ratePerSecond: (order.ratePerSecond * each[i]!) / users })
      }
      return worker.ask('start', share)
    })
  }

  onTick(listener: (tick: Tick) => void): void {
    this.#listeners.push(listener)
  }

  async beginInterval(): Promise<{ end(): Promise<IntervalFigures> }> {
    const at = monotonicMs() + CUT_AHEAD_MS
    await this.#ask(worker => worker.ask('begin', { at }))
    return { end: () => this.#endInterval() }
  }

  async drain(): Promise<WholeFigures> {
    const wholes = await this.#ask(worker => worker.ask('drain', null))
    await Promise.all(this.#workers.map(worker => worker.ended()))
    return mergeWholes(wholes)
  }

  async kill(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.kill()))
  }

  async #endInterval(): Promise<IntervalFigures> {
    const at = monotonicMs() + CUT_AHEAD_MS
    return mergeIntervals(await this.#ask(worker => worker.ask('end', { at })))
  }

  #ask<Answers>(ask: (worker: WorkerProcess, i: number) => Promise<Answers>): Promise<Answers[]> {
    return Promise.all(this.#workers.map(ask))
  }

  #onTick(tick: WorkerTick): void {
    const told = [...(this.#ticks.get(tick.tickAt) ?? []), tick]
    this.#ticks.set(tick.tickAt, told)
    if (told.length < this.#workers.length) return
    // An earlier second that one worker has no figures for (it started later) is of no use any more.
    for (const at of this.#ticks.keys()) if (at <= tick.tickAt) this.#ticks.delete(at)
    const merged = mergeTicks(told)
    for (const listener of this.#listeners) listener(merged)
  }
}
