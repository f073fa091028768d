import { monotonicMs } from '../../clock.js'
import { ModelRefused, type RefusalReason, ServiceError } from '../../errors.js'
import type { Bundle, BundleFiles } from '../bundle.js'
import type { ModelSource, Pointer } from '../source.js'
import type { ActiveModel } from './active-model.js'
import type { Rollout } from './rollout.js'
import type { Hint } from './steps.js'

export interface ConvergeOptions {
  source: ModelSource
  /** of the source; what a `local` one holds at the start is what serves */
  kind: Pointer['kind']
  /** reads the bundle that a pointer names, from a cache or the source */
  obtain(pointer: Pointer, signal: AbortSignal): Promise<BundleFiles>
  /** tries a bundle apart from the service */
  sandbox(files: BundleFiles, signal: AbortSignal): Promise<void>
  /** ms that the source may take to say what is promoted */
  resolveTimeoutMs: number
  /** told of each reason to look */
  onHint(from: Hint): void
}

/** A model that went live, with what tells it from others. */
interface Live {
  key: string
  bundle: Bundle
}

const noPrevious = () => new ServiceError('no_previous_model', 'there is no version before the one that serves')

/** Makes what serves what the source says is promoted: one roll-out at a time, the newest wins. */
export class Converger {
  readonly #active: ActiveModel
  readonly #rollout: Rollout
  readonly #options: ConvergeOptions
  #tail: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Map<'look' | 'reload', Promise<void>>()
  #abort = new AbortController()
  #closed = false
  #live: Live | undefined
  #previous: Live | undefined
  #held: { key: string; version: string } | undefined
  #refused: { key: string; error: ModelRefused } | undefined
  #named: Pointer | undefined
  #registryUp = true

  constructor(active: ActiveModel, rollout: Rollout, options: ConvergeOptions) {
    this.#active = active
    this.#rollout = rollout
    this.#options = options
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
      held_off: this.#held?.version ?? null,
      previous_version: this.#previous?.bundle.manifest.version ?? null
    }
  }

  get #stale(): boolean {
    if (!this.#named) return this.#options.kind !== 'local'
    return !this.#registryUp || keyOf(this.#named) !== this.#current?.key
  }

  /** What serves; until a look took another one live, the bundle that the service started with. */
  get #current(): Live | undefined {
    if (this.#live || !this.#active.serving) return this.#live
    const { bundle } = this.#active.serving.pool
    const { name, version, sha256: digest } = bundle.manifest
    return { key: keyOf({ kind: 'local', name, version, digest }), bundle }
  }

  /** Looks at what is promoted because of a hint. A look that waits already is this hint's too. */
  look(from: Hint): Promise<void> {
    this.#options.onHint(from)
    return this.#once('look', () => this.#look(false))
  }

  /** Rolls out what is promoted, be it refused before, held off or what serves. Rejects with `ModelRefused`. */
  reload(): Promise<void> {
    this.#options.onHint('admin')
    return this.#once('reload', () => this.#look(true))
  }

  /**
   * Puts back the version that served before, and holds the one that it leaves off until the source names another. Ends a look
   * under way. Rejects with `ServiceError` `no_previous_model`.
   */
  async rollback(): Promise<void> {
    if (!this.#previous) throw noPrevious()
    this.#abort.abort()
    await this.#alone(async () => {
      const previous = this.#previous
      const left = this.#current
      if (!previous || !left) throw noPrevious()
      await this.#rollout.back(previous.bundle)
      this.#held = { key: left.key, version: left.bundle.manifest.version }
      this.#live = previous
      this.#previous = undefined
    })
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
    const run = this.#alone(() => {
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
    const { signal } = this.#abort
    const pointer = await this.#resolve(signal)
    const key = keyOf(pointer)
    if (this.#held && this.#held.key !== key) this.#held = undefined
    if (!ordered && (key === this.#current?.key || key === this.#held?.key)) return
    if (!ordered && key === this.#refused?.key) throw this.#refused.error
    const before = this.#current
    try {
      const { pool } = await this.#rollout.run({
        fetch: () => this.#obtain(pointer, signal),
        sandbox: files => this.#options.sandbox(files, signal),
        version: pointer.kind === 'mlflow' ? pointer.version : undefined
      })
      this.#went(before, { key, bundle: pool.bundle })
    } catch (error) {
      if (error instanceof ModelRefused && !error.transient) this.#refused = { key, error }
      throw error
    }
  }

  #went(before: Live | undefined, now: Live): void {
    if (before && before.key !== now.key) this.#previous = before
    this.#live = now
    this.#held = undefined
    this.#refused = undefined
  }

  async #resolve(signal: AbortSignal): Promise<Pointer> {
    const began = monotonicMs()
    const patience = AbortSignal.any([signal, AbortSignal.timeout(this.#options.resolveTimeoutMs)])
    try {
      this.#named = await this.#rollout.timed('resolve', () => this.#options.source.resolve(patience))
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

/** Tells one promoted bundle from another. */
function keyOf({ kind, name, version, digest }: Pick<Pointer, 'kind' | 'name' | 'version' | 'digest'>): string {
  return JSON.stringify([kind, name, version, digest])
}

/** What went wrong outside, as the reason for a refusal: an order that came between, or what the source says, or `otherwise`. */
function refusalOf(error: unknown, signal: AbortSignal, otherwise: RefusalReason): ModelRefused {
  if (signal.aborted) return new ModelRefused('superseded', 'another order came between', { cause: error })
  if (error instanceof ModelRefused) return error
  return new ModelRefused(otherwise, error instanceof Error ? error.message : String(error), { cause: error })
}
