import { setTimeout as pause } from 'node:timers/promises'
import { monotonicMs } from '../../clock.js'
import { ModelRefused } from '../../errors.js'
import { type Bundle, type BundleFiles, openBundle } from '../bundle/bundle.js'
import { Pool } from '../inference/pool.js'
import type { PoolObserver, PoolOptions } from '../inference/pool-contract.js'
import type { ModelRef } from '../registry/source.js'
import { WindowReader } from '../inference/window.js'
import type { ActiveModel, ServingModel } from './active-model.js'
import { inspectGraph } from '../bundle/inspect.js'
import type { Step } from './steps.js'
import { GoldenCheck } from './golden-check.js'

/** Ms that golden answers and warm-up may take together. */
const TRIAL_MS = 60_000

export interface RolloutObserver extends PoolObserver {
  promotion(outcome: 'live' | ModelRefused['reason'], seconds: number): void
  /** a step ended, well or not */
  step(step: Step, seconds: number): void
}

export interface RolloutOptions {
  /** reads the bundle that the service brings along */
  fetch(): Promise<BundleFiles>
  /** refuses a bundle for what the service cannot use it for, by throwing `ModelRefused` */
  accept?(bundle: Bundle): void
  pool: PoolOptions
  maxRows: number
}

/** What is to go live, where it is not the bundle that the service brings along. */
export interface RolloutRequest {
  fetch(): Promise<BundleFiles>
  /** tries it apart from the service; rejects with `ModelRefused`. Left out for what has served before. */
  sandbox?: (files: BundleFiles) => Promise<void>
  /** the registry's own version of it, which answers then carry */
  version: string | undefined
  /** once it aborts, nothing goes live any more: the rollout ends as `superseded` */
  signal?: AbortSignal
}

/** What is known of a rollout that may still fail. */
interface Attempt {
  bundle: Bundle | undefined
}
type Open = (attempt: Attempt) => Promise<Bundle>

/** Takes a bundle live, by the steps of `STEPS` in their order. */
export class Rollout {
  readonly #active: ActiveModel
  readonly #options: RolloutOptions
  readonly #observer: RolloutObserver
  #running: Promise<ServingModel> | undefined
  readonly #draining = new Set<Promise<void>>()

  constructor(active: ActiveModel, options: RolloutOptions, observer: RolloutObserver) {
    this.#active = active
    this.#options = options
    this.#observer = observer
  }

  /** One rollout at a time: who asks during one gets its outcome. Rejects with `ModelRefused`; the old model goes on. */
  run(order?: RolloutRequest): Promise<ServingModel> {
    return this.#alone(attempt => this.#fetched(attempt, order), order?.signal)
  }

  /** Takes a bundle live that has served before: nothing is fetched or tried, all else is as in `run`. */
  restore(bundle: Bundle): Promise<ServingModel> {
    return this.#alone(async attempt => (attempt.bundle = bundle))
  }

  #alone(open: Open, signal?: AbortSignal): Promise<ServingModel> {
    this.#running ??= this.#attempt(open, signal).finally(() => (this.#running = undefined))
    return this.#running
  }

  /**
   * The first step: asks what is promoted. Rejects as `ask` does, which is to reject with `ModelRefused`: an outcome like that of any
   * other step.
   */
  async resolve(ask: () => Promise<ModelRef>): Promise<ModelRef> {
    const began = monotonicMs()
    try {
      return await this.#step('resolve', ask)
    } catch (error) {
      const { reason, message } = refusalOf(error)
      this.#ended(began, { outcome: 'refused', reason, message })
      throw error
    }
  }

  /** Times a step, however it ends. */
  async #step<T>(step: Step, work: () => T | Promise<T>): Promise<T> {
    const began = monotonicMs()
    try {
      return await work()
    } finally {
      this.#observer.step(step, (monotonicMs() - began) / 1000)
    }
  }

  async #fetched(attempt: Attempt, order: RolloutRequest | undefined): Promise<Bundle> {
    const files = await this.#step('fetch', order?.fetch ?? this.#options.fetch)
    const bundle = await this.#step('open', () => openBundle(files))
    attempt.bundle = bundle
    if (order?.version !== undefined) bundle.manifest.version = order.version
    this.#options.accept?.(bundle)
    await this.#step('inspect', () => inspectGraph(new Uint8Array(bundle.model)))
    const sandbox = order?.sandbox
    if (sandbox) await this.#step('sandbox', () => sandbox(files))
    return bundle
  }

  async #attempt(open: Open, signal: AbortSignal | undefined): Promise<ServingModel> {
    const began = monotonicMs()
    const attempt: Attempt = { bundle: undefined }
    try {
      const bundle = await open(attempt)
      const model = await this.#prepare(bundle, signal)
      const old = this.#active.swap(model)
      if (old) this.#drain(old)
      this.#ended(began, { outcome: 'live', ...versionOf(bundle) })
      return model
    } catch (error) {
      const refusal = refusalOf(error)
      const { reason, message } = refusal
      this.#ended(began, { outcome: 'refused', reason, message, ...versionOf(attempt.bundle) })
      throw refusal
    }
  }

  /** A pool each of whose workers has loaded the model and given the golden answers in every batch size. */
  async #prepare(bundle: Bundle, signal: AbortSignal | undefined): Promise<ServingModel> {
    const { window } = bundle.manifest
    if (window > this.#options.maxRows) {
      throw new ModelRefused('manifest_invalid', `the model needs a window of ${window} rows, more than MAX_ROWS`)
    }
    const pool = new Pool(bundle, this.#options.pool, this.#observer)
    await this.#step('load', () => pool.start())
    try {
      const trial = new GoldenCheck(pool, monotonicMs() + TRIAL_MS)
      await this.#step('golden', () => trial.alone())
      await this.#step('warm', () => trial.together())
      if (signal?.aborted) throw new ModelRefused('superseded', 'a newer promotion or order came between')
    } catch (error) {
      // A worker that is stuck in a run never ends: the next rollout must not wait for it.
      await Promise.race([pool.close(), pause(this.#options.pool.runTimeoutMs, undefined, { ref: false })])
      throw error
    }
    pool.statistics.wentLive()
    return { pool, reader: new WindowReader(bundle.manifest, pool.slots, this.#options.maxRows), since: new Date() }
  }

  /** Requests under way end on the version that they began with; then its sessions are released. */
  #drain({ pool }: ServingModel): void {
    const drained = this.#step('drain', () => pool.drained()).then(() => pool.close())
    this.#draining.add(drained)
    void drained.finally(() => this.#draining.delete(drained))
  }

  /** Ends everything: the rollout under way, the old pools, the serving one after its last answer. */
  async close(): Promise<void> {
    await this.#running?.catch(() => undefined)
    this.withdraw()
    await Promise.all(this.#draining)
  }

  /** Leaves nothing in the place of the model that serves, which ends what it began. */
  withdraw(): void {
    const last = this.#active.swap(undefined)
    if (last) this.#drain(last)
  }

  /** Makes known how a rollout that began at `began` (ms, monotonic) ended. */
  #ended(began: number, outcome: Omit<NonNullable<ActiveModel['lastPromotion']>, 'at'>): void {
    this.#active.lastPromotion = { ...outcome, at: new Date() }
    this.#observer.promotion(outcome.reason ?? 'live', (monotonicMs() - began) / 1000)
  }
}

function refusalOf(error: unknown): ModelRefused {
  return error instanceof ModelRefused ? error : new ModelRefused('load_failed', String(error), { cause: error })
}

function versionOf(bundle: Bundle | undefined): { version?: string } {
  return bundle ? { version: bundle.manifest.version } : {}
}
