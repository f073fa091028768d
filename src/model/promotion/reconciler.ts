import { ModelRefused, type RefusalReason, ServiceError } from '../../errors.js'
import type { Bundle, BundleFiles } from '../bundle/bundle.js'
import { keyOf, type ModelSource, type ModelRef } from '../registry/source.js'
import type { BundleCache } from '../registry/cache.js'
import type { Served } from '../registry/cache-state.js'
import type { ActiveModel } from './active-model.js'
import { History, type Live } from './history.js'
import type { Rollout } from './rollout.js'
import type { Trigger } from './steps.js'
import { withTimeout } from '../../abort.js'

export interface ReconcilerOptions {
  source: ModelSource
  /** of the source; what a `local` one holds at the start is what serves */
  kind: ModelRef['kind']
  /** reads the bundle that a reference names, from a cache or the source */
  fetchBundle(ref: ModelRef, signal: AbortSignal): Promise<BundleFiles>
  /** remembers over a restart what served; without one nothing does */
  cache?: BundleCache | undefined
  /** tries a bundle apart from the service */
  sandbox(files: BundleFiles, signal: AbortSignal): Promise<void>
  /** ms that the source may take to say what is promoted */
  resolveTimeoutMs: number
  /** told of each trigger */
  onTrigger(from: Trigger): void
}

const superseded = (cause?: unknown) =>
  new ModelRefused('superseded', 'a newer promotion or order came between', { cause })
const noPrevious = () => new ServiceError('no_previous_model', 'this replica has no earlier version to put back')

/** Makes what serves what the source says is promoted: one rollout at a time, the newest wins. */
export class Reconciler {
  readonly #active: ActiveModel
  readonly #rollout: Rollout
  readonly #options: ReconcilerOptions
  #tail: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Map<'reconcile' | 'reload', Promise<void>>()
  #abort = new AbortController()
  /** so far: what was asked for before a rollback is not done after it */
  #rollbacks = 0
  #closed = false
  readonly #history: History
  #refused: { key: string; error: ModelRefused } | undefined
  #named: ModelRef | undefined
  #registryUp = true

  constructor(active: ActiveModel, rollout: Rollout, options: ReconcilerOptions) {
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
      held_off: this.#history.blocked?.version ?? null,
      previous_version: this.#history.previous?.version ?? null
    }
  }

  get #stale(): boolean {
    if (!this.#named) return this.#options.kind !== 'local'
    return !this.#registryUp || keyOf(this.#named) !== this.#current?.key
  }

  /** What serves; until a rollout took another one live, the bundle that the service started with. */
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

  /** Compares what serves with what is promoted, and rolls out the difference. Triggers that come while one waits share its outcome. */
  reconcile(from: Trigger): Promise<void> {
    this.#options.onTrigger(from)
    return this.#once('reconcile', () => this.#reconcile(false))
  }

  /** Lets the next reconciliation try a bundle again that was refused: what it was refused for may be otherwise now. */
  forgetRefusal(): void {
    this.#refused = undefined
  }

  /** Rolls out what is promoted, be it refused before, blocked or what serves. Rejects with `ModelRefused`. */
  reload(): Promise<void> {
    this.#options.onTrigger('admin')
    return this.#once('reload', () => this.#reconcile(true))
  }

  /**
   * Puts back the version that served before, and blocks the version that served until the source names another. Ends the
   * reconciliation under way, and those that wait. Rejects with `ServiceError` `no_previous_model`.
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
      this.#history.rolledBack(left, previous)
      await this.#history.save()
    })
  }

  /** What cannot be put back is offered no longer. */
  async #putBack(previous: Live): Promise<void> {
    try {
      if (previous.bundle) await this.#rollout.restore(previous.bundle)
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

  /** Ends the reconciliation under way; none begins any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#abort.abort()
    await this.#tail
  }

  #once(kind: 'reconcile' | 'reload', work: () => Promise<void>): Promise<void> {
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

  async #reconcile(ordered: boolean): Promise<void> {
    try {
      await this.#rollOutDifference(ordered)
    } finally {
      await this.#history.save()
    }
  }

  async #rollOutDifference(ordered: boolean): Promise<void> {
    const { signal } = this.#abort
    const ref = await this.#resolve(signal)
    const key = keyOf(ref)
    if (this.#history.blocked && this.#history.blocked.key !== key) this.#history.blocked = undefined
    const before = this.#current
    // Where nothing serves, what was blocked is better than nothing.
    if (!ordered && before && (key === before.key || key === this.#history.blocked?.key)) return
    if (!ordered && key === this.#refused?.key) throw this.#refused.error
    try {
      const { pool } = await this.#rollout.run({
        fetch: () => this.#fetch(ref, signal),
        sandbox: files => this.#options.sandbox(files, signal),
        signal,
        version: ref.kind === 'mlflow' ? ref.version : undefined
      })
      const { bundle } = pool
      this.#history.promoted(before, { key, version: bundle.manifest.version, bundle })
      this.#refused = undefined
    } catch (error) {
      if (error instanceof ModelRefused && !error.transient) this.#refused = { key, error }
      throw error
    }
  }

  async #resolve(signal: AbortSignal): Promise<ModelRef> {
    const { source, resolveTimeoutMs } = this.#options
    try {
      this.#named = await this.#rollout.resolve(() =>
        withTimeout(resolveTimeoutMs, signal, patience => source.resolve(patience)).catch((error: unknown) => {
          throw refusalOf(error, signal, 'registry_unavailable')
        })
      )
      this.#registryUp = true
      return this.#named
    } catch (error) {
      this.#registryUp = (error as ModelRefused).reason !== 'registry_unavailable'
      throw error
    }
  }

  async #fetch(ref: ModelRef, signal: AbortSignal): Promise<BundleFiles> {
    try {
      return await this.#options.fetchBundle(ref, signal)
    } catch (error) {
      throw refusalOf(error, signal, 'storage_unavailable')
    }
  }
}

/** What went wrong outside, as the reason for a refusal: a request that came between, or what the source says, or `otherwise`. */
function refusalOf(error: unknown, signal: AbortSignal, otherwise: RefusalReason): ModelRefused {
  if (signal.aborted) return superseded(error)
  if (error instanceof ModelRefused) return error
  return new ModelRefused(otherwise, error instanceof Error ? error.message : String(error), { cause: error })
}
