import type { Bundle, BundleFiles } from '../bundle/bundle.js'
import type { PoolOptions } from '../inference/pool-contract.js'
import type { BundleCache } from '../registry/cache.js'
import { fetchBundle } from '../registry/fetch-bundle.js'
import type { ModelRef, ModelSource } from '../registry/source.js'
import { ActiveModel } from './active-model.js'
import { Poller } from './poller.js'
import { Reconciler } from './reconciler.js'
import { Rollout, type RolloutObserver } from './rollout.js'
import { runInSandbox, type SandboxLimits } from './sandbox.js'
import type { Trigger } from './steps.js'

export interface FollowerOptions {
  source: ModelSource
  /** of the source */
  kind: ModelRef['kind']
  /** copies of what served, for the next start; without one there are none */
  cache?: BundleCache | undefined
  /** reads the bundle that comes with the service; rejects with `ModelRefused` where none does */
  embedded(): Promise<BundleFiles>
  /** refuses a bundle for what it cannot be used for here, by throwing `ModelRefused` */
  accept?(bundle: Bundle): void
  pool: PoolOptions
  /** rows of the largest table, of which a window may be a part */
  maxRows: number
  sandbox: SandboxLimits
  /** ms that the source may take to say what is promoted */
  resolveTimeoutMs: number
  /** ms between two polls; 0 for none */
  pollMs: number
  /** told of each trigger */
  onTrigger(from: Trigger): void
}

/** A model that is kept at the version that its source says is promoted. The live model is one, and the shadow another. */
export class ModelFollower {
  readonly active = new ActiveModel()
  readonly rollout: Rollout
  readonly reconciler: Reconciler
  readonly #poller: Poller
  readonly #cache: BundleCache | undefined

  constructor(options: FollowerOptions, observer: RolloutObserver) {
    const { source, cache, sandbox, embedded: fetch, ...rest } = options
    this.#cache = cache
    this.rollout = new Rollout(this.active, { fetch, ...rest }, observer)
    this.reconciler = new Reconciler(this.active, this.rollout, {
      source,
      cache,
      fetchBundle: (ref, signal) => fetchBundle({ source, cache }, ref, signal),
      sandbox: (files, signal) => runInSandbox(files, sandbox, signal),
      ...rest
    })
    this.#poller = new Poller(this.reconciler, options.pollMs)
  }

  /** Begins to poll. */
  start(): void {
    this.#poller.start()
  }

  /** Reconciles now. Never throws: how it ended is told by the rollout's observer. */
  trigger(from: Trigger): Promise<void> {
    return this.#poller.trigger(from)
  }

  /** Ends the reconciliation under way, then the pool after its last row. */
  async close(): Promise<void> {
    await this.#poller.close()
    await this.rollout.close()
    await this.#cache?.close()
  }
}
