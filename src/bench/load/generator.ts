import { BenchError } from '../errors.js'
import { monotonicMs } from '../../clock.js'
import { type CallPlan, ONE_WINDOW } from './calls/calls.js'
import type { Expectation } from './expected.js'
import {
  mergeTicks,
  mergeWholes,
  mergeIntervals,
  type Tick,
  type WholeFigures,
  type IntervalFigures,
  type LoadWorkerTick
} from '../samples/merge.js'
import type { LoadWorkerOptions } from './messages.js'
import { LoadWorkerProcess } from './load-worker-process.js'

/** Ms from an order to the cut that it asks for: enough for the order to reach every load worker first. */
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
  /** how requests are made of bodies; left out, each is one of `POST /predict` */
  calls?: CallPlan
  /** one answer in so many is checked */
  checkEvery: number
  seed: number
  /** after which a request without an answer has failed (`timeout`) */
  timeoutMs: number
  /** Poisson arrivals a second over all load workers; left out, a user sends again when it has its answer and has thought */
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
  /** Begins a measured interval in the running load: at the same moment in all load workers. `end` cuts it. */
  beginInterval(): Promise<{ end(): Promise<IntervalFigures> }>
  /** No new requests; waits for the answers in flight, at most the order's timeout; ends the load workers. */
  drain(): Promise<WholeFigures>
  /** Ends the load workers at once. */
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

/** A part of `whole` for each load worker; the first ones get what is left over. */
function shares(whole: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(whole / count) + (i < whole % count ? 1 : 0))
}

class RunningLoad implements Load {
  readonly #loadWorkers: readonly LoadWorkerProcess[]
  readonly #listeners: ((tick: Tick) => void)[] = []
  /** of seconds that not every load worker has told yet, by their end */
  readonly #ticks = new Map<number, LoadWorkerTick[]>()

  constructor({ loadWorkers: count }: LoadOptions) {
    this.#loadWorkers = Array.from(
      { length: count },
      (_, i) => new LoadWorkerProcess(`load worker ${i + 1} of ${count}`)
    )
    for (const loadWorker of this.#loadWorkers) loadWorker.onTick = tick => this.#onTick(tick)
  }

  get pids(): readonly number[] {
    return this.#loadWorkers.map(({ pid }) => pid)
  }

  async start({ users, seed, expected, ...order }: LoadOptions): Promise<void> {
    const each = shares(users, this.#loadWorkers.length)
    await this.#ask((loadWorker, i) => {
      const share: LoadWorkerOptions = {
        ...order,
        users: each[i]!,
        // Neighbouring seeds give streams that have nothing to do with each other (xoroshiro128+ is seeded by splitmix).
        seed: seed * this.#loadWorkers.length + i,
        expected: expected ?? order.bodies.map(() => null),
        calls: order.calls ?? ONE_WINDOW,
        ...(order.ratePerSecond !== undefined && { ratePerSecond: (order.ratePerSecond * each[i]!) / users })
      }
      return loadWorker.ask('start', share)
    })
  }

  onTick(listener: (tick: Tick) => void): void {
    this.#listeners.push(listener)
  }

  async beginInterval(): Promise<{ end(): Promise<IntervalFigures> }> {
    const at = monotonicMs() + CUT_AHEAD_MS
    await this.#ask(loadWorker => loadWorker.ask('begin', { at }))
    return { end: () => this.#endInterval() }
  }

  async drain(): Promise<WholeFigures> {
    const wholes = await this.#ask(loadWorker => loadWorker.ask('drain', null))
    await Promise.all(this.#loadWorkers.map(loadWorker => loadWorker.ended()))
    return mergeWholes(wholes)
  }

  async kill(): Promise<void> {
    await Promise.all(this.#loadWorkers.map(loadWorker => loadWorker.kill()))
  }

  async #endInterval(): Promise<IntervalFigures> {
    const at = monotonicMs() + CUT_AHEAD_MS
    return mergeIntervals(await this.#ask(loadWorker => loadWorker.ask('end', { at })))
  }

  #ask<Answers>(ask: (loadWorker: LoadWorkerProcess, i: number) => Promise<Answers>): Promise<Answers[]> {
    return Promise.all(this.#loadWorkers.map(ask))
  }

  #onTick(tick: LoadWorkerTick): void {
    const told = [...(this.#ticks.get(tick.tickAt) ?? []), tick]
    this.#ticks.set(tick.tickAt, told)
    if (told.length < this.#loadWorkers.length) return
    // An earlier second that one load worker has no figures for (it started later) is of no use any more.
    for (const at of this.#ticks.keys()) if (at <= tick.tickAt) this.#ticks.delete(at)
    const merged = mergeTicks(told)
    for (const listener of this.#listeners) listener(merged)
  }
}
