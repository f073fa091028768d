import { monotonicMs } from '../../clock.js'
import { ModelRefused, type RefusalReason, ServiceError } from '../../errors.js'
import type { Bundle, BundleFiles } from '../bundle/bundle.js'
import { keyOf, type ModelSource, type Pointer } from '../registry/source.js'
import type { BundleCache } from '../registry/cache.js'
import type { Served } from '../registry/cache-state.js'
import type { ActiveModel } from './active-model.js'
import { History, type Live } from './history.js'
import type { Rollout } from './rollout.js'
import type { Hint } from './steps.js'
import { within } from '../../abort.js'

export interface ConvergeOptions {
  source: ModelSource
  /** of the source; what a `local` one holds at the start is what serves */
  kind: Pointer['kind']
  /** reads the bundle that a pointer names, from a cache or the source */
  obtain(pointer: Pointer, signal: AbortSignal): Promise<BundleFiles>
  /** remembers over a restart what served; without one nothing does */
  cache?: BundleCache | undefined
  /** tries a bundle apart from the service */
  sandbox(files: BundleFiles, signal: AbortSignal): Promise<void>
  /** ms that the source may take to say what is promoted */
  resolveTimeoutMs: number
  /** told of each reason to look */
  onHint(from: Hint): void
}

const superseded = (cause?: unknown) => new ModelRefused('superseded', 'another order came between', { cause })
const noPrevious = () => new ServiceError('no_previous_model', 'there is no version before the one that serves')

/** Makes what serves what the source says is promoted: one roll-out at a time, the newest wins. */
export class Converger {
  readonly #active: ActiveModel
  readonly #rollout: Rollout
  readonly #options: ConvergeOptions
  #tail: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Map<'look' | 'reload', Promise<void>>()
  #abort = new AbortController()
  /** so far: a look that was asked for before one is not done after it */
  #rollbacks = 0
  #closed = false
  readonly #history: History
  #refused: { key: string; error: ModelRefused } | undefined
  #named: Pointer | undefined
  #registryUp = true

  constructor(active: ActiveModel, rollout: Rollout, options: ConvergeOptions) {
    this.#active = active
    this.#rollout = rollout
    this.#options = options
    this.#history = new History(options.cache)
  }

  /** Where the way to the promoted model stands, for `GET /model` and the gauges. */
  get state() {
    const { location = null, version = null } = this.#named ?? {}
    return {
      source: this.#options.kind,
      location,
      promoted_version: version,
      stale: this.#stale,
      registry_up: this.#registryUp,
      held_off: this.#history.held?.version ?? null,
      previous_version: this.#history.previous?.version ?? null
    }
  }

  get #stale(): boolean {
    if (!this.#named) return this.#options.kind !== 'local'
    return !this.#registryUp || keyOf(this.#named) !== this.#current?.key
  }

  /** What serves; until a look took another one live, the bundle that the service started with. */
  get #current(): Live | undefined {
    if (!this.#active.serving) return undefined
    if (this.#history.live) return this.#history.live
    const { bundle } = this.#active.serving.pool
    const { name, version, sha256: digest } = bundle.manifest
    return { key: keyOf({ kind: 'local', name, version, digest }), version, bundle }
  }

  /**
   * Takes live, out of the cache, what served when the process before ended: to be called first, and once. Resolves to whether
   * it serves. Rejects with `CacheUnusable`.
   */
  async resume(): Promise<boolean> {
    const live = await this.#history.restore()
    if (!live) return false
    try {
      this.#history.live = { ...live, bundle: await this.#backFromCache(live) }
      return true
    } catch (error) {
      if (error instanceof ModelRefused) return false
      throw error
    }
  }

  /** Looks at what is promoted because of a hint. A look that waits already is this hint's too. */
  look(from: Hint): Promise<void> {
    this.#options.onHint(from)
    return this.#once('look', () => this.#look(false))
  }

  /** Lets the next look try a bundle again that was refused: what it was refused for may be otherwise now. */
  forgive(): void {
    this.#refused = undefined
  }

  /** Rolls out what is promoted, be it refused before, held off or what serves. Rejects with `ModelRefused`. */
  reload(): Promise<void> {
    this.#options.onHint('admin')
    return this.#once('reload', () => this.#look(true))
  }

  /**
   * Puts back the version that served before, and holds the one that it leaves off until the source names another. Ends a look
   * under way, and those that wait. Rejects with `ServiceError` `no_previous_model`.
   */
  async rollback(): Promise<void> {
    if (!this.#history.previous) throw noPrevious()
    this.#rollbacks++
    this.#waiting.clear()
    this.#abort.abort()
    await this.#alone(async () => {
      const { previous } = this.#history
      const left = this.#current
      if (!previous || !left) throw noPrevious()
      await this.#putBack(previous)
      this.#history.returned(left, previous)
      await this.#history.note()
    })
  }

  /** What cannot be put back is offered no longer. */
  async #putBack(previous: Live): Promise<void> {
    try {
      if (previous.bundle) await this.#rollout.back(previous.bundle)
      else previous.bundle = await this.#backFromCache(previous)
    } catch (error) {
      if (error instanceof ModelRefused && !error.transient) this.#history.previous = undefined
      throw error
    }
  }

  /** Takes a copy live that has served before: its answers are compared, but it needs no trial of its own. */
  async #backFromCache({ key, version }: Served): Promise<Bundle> {
    const { pool } = await this.#rollout.run({ fetch: () => this.#options.cache!.read(key), version })
    return pool.bundle
  }

  /** Ends the look under way; none begins any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#abort.abort()
    await this.#tail
  }

  #once(kind: 'look' | 'reload', work: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(kind)
    if (waiting) return waiting
    const asked = this.#rollbacks
    const run = this.#alone(() => {
      if (asked !== this.#rollbacks) throw superseded()
      this.#waiting.delete(kind)
      return this.#closed ? Promise.resolve() : work()
    })
    this.#waiting.set(kind, run)
    return run
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const run = this.#tail.then(() => {
      this.#abort = new AbortController()
      if (this.#closed) this.#abort.abort()
      return work()
    })
    this.#tail = run.catch(() => undefined)
    return run
  }

  async #look(ordered: boolean): Promise<void> {
    try {
      await this.#converge(ordered)
    } finally {
      await this.#history.note()
    }
  }

  async #converge(ordered: boolean): Promise<void> {
    const { signal } = this.#abort
    const pointer = await this.#resolve(signal)
    const key = keyOf(pointer)
    if (this.#history.held && this.#history.held.key !== key) this.#history.held = undefined
    const before = this.#current
    // Where nothing serves, what was held off is better than nothing.
    if (!ordered && before && (key === before.key || key === this.#history.held?.key)) return
    if (!ordered && key === this.#refused?.key) throw this.#refused.error
    try {
      const { pool } = await this.#rollout.run({
        fetch: () => this.#obtain(pointer, signal),
        sandbox: files => this.#options.sandbox(files, signal),
        signal,
        version: pointer.kind === 'mlflow' ? pointer.version : undefined
      })
      const { bundle } = pool
      this.#history.went(before, { key, version: bundle.manifest.version, bundle })
      this.#refused = undefined
    } catch (error) {
      if (error instanceof ModelRefused && !error.transient) this.#refused = { key, error }
      throw error
    }
  }

  async #resolve(signal: AbortSignal): Promise<Pointer> {
    const began = monotonicMs()
    const { source, resolveTimeoutMs } = this.#options
    try {
      this.#named = await this.#rollout.timed('resolve', () =>
        within(resolveTimeoutMs, signal, patience => source.resolve(patience))
      )
      this.#registryUp = true
      return this.#named
    } catch (error) {
      const refusal = refusalOf(error, signal, 'registry_unavailable')
      this.#registryUp = refusal.reason !== 'registry_unavailable'
      this.#rollout.ended(began, { outcome: 'refused', reason: refusal.reason, message: refusal.message })
      throw refusal
    }
  }

  async #obtain(pointer: Pointer, signal: AbortSignal): Promise<BundleFiles> {
    try {
      return await this.#options.obtain(pointer, signal)
    } catch (error) {
      throw refusalOf(error, signal, 'storage_unavailable')
    }
  }
}

/** What went wrong outside, as the reason for a refusal: an order that came between, or what the source says, or `otherwise`. */
function refusalOf(error: unknown, signal: AbortSignal, otherwise: RefusalReason): ModelRefused {
  if (signal.aborted) return superseded(error)
  if (error instanceof ModelRefused) return error
  return new ModelRefused(otherwise, error instanceof Error ? error.message : String(error), { cause: error })
}
