import { ModelRefused } from '../../errors.js'
import type { Bundle } from '../bundle/bundle.js'
import type { Forecast } from '../inference/forecast.js'
import type { ActiveModel } from '../promotion/active-model.js'
import { type FollowerOptions, ModelFollower } from '../promotion/follower.js'
import type { RolloutObserver } from '../promotion/rollout.js'
import type { Trigger } from '../promotion/steps.js'
import type { ModelSource } from '../registry/source.js'
import { incomparable } from './comparable.js'
import { Sampler, type SamplerObserver } from './sampler.js'

export type ShadowObserver = RolloutObserver & SamplerObserver

export interface ShadowOptions {
  /** the model whose answers go out */
  live: ActiveModel
  /** of the version to load, for people */
  alias: string
  /** of the live rows, above 0 and at most 1 */
  share: number
  /** how the shadow is followed; its pool gets one worker and a batch's slots */
  follow: Pick<FollowerOptions, 'source' | 'pool' | 'maxRows' | 'sandbox' | 'resolveTimeoutMs' | 'pollMs'>
}

/** There is no shadow before its alias names one. */
const nothingEmbedded = () => Promise.reject(new ModelRefused('not_found', 'the service has no embedded shadow model'))

/**
 * A second version that forecasts a share of the live rows for nobody: it is found, checked and kept up as the promoted one
 * is, in a pool of its own, and what it does changes no answer.
 */
export class Shadow {
  readonly #options: ShadowOptions
  readonly #follower: ModelFollower
  readonly #sampler: Sampler
  #judgedBy: Bundle | undefined

  constructor(options: ShadowOptions, observer: ShadowObserver) {
    const { live, share, follow } = options
    const { batchCap, runTimeoutMs } = follow.pool
    this.#options = options
    this.#follower = new ModelFollower(
      {
        ...follow,
        source: this.#withdrawing(follow.source),
        kind: 'mlflow',
        embedded: nothingEmbedded,
        accept: bundle => this.#accept(bundle),
        pool: { ...follow.pool, queueRows: batchCap, workers: 1, background: true },
        onTrigger: () => this.#reconsider()
      },
      observer
    )
    this.#sampler = new Sampler({ live, shadow: this.active, share, patienceMs: runTimeoutMs }, observer)
  }

  get active(): ActiveModel {
    return this.#follower.active
  }

  /** Begins to poll. */
  start(): void {
    this.#follower.start()
  }

  /** Reconciles with what the alias names now. Never throws. */
  trigger(from: Trigger): Promise<void> {
    return this.#follower.trigger(from)
  }

  /** Takes a forecast whose answer has gone out, in the same turn. Never throws. */
  answered(forecast: Forecast): void {
    this.#sampler.answered(forecast)
  }

  /** Where it stands, for `GET /model`, beside what `active` says. */
  get state() {
    const { alias, share } = this.#options
    return { alias, share, comparison: this.#sampler.comparison?.summary ?? null }
  }

  /** Ends the reconciliation under way, then the pool after its last row. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  #accept(bundle: Bundle): void {
    const live = this.#options.live.serving?.pool.bundle
    this.#judgedBy = live
    const why = live && incomparable(live.manifest, bundle.manifest)
    if (why === undefined) return
    throw new ModelRefused('signature_mismatch', `this bundle cannot shadow version ${live!.manifest.version}: ${why}`)
  }

  /** What was refused for not being like the live model is judged anew by the next one. */
  #reconsider(): void {
    if (this.#judgedBy !== this.#options.live.serving?.pool.bundle) this.#follower.reconciler.forgetRefusal()
  }

  /** An alias that is gone asks for no shadow; a registry that is away asks for nothing. */
  #withdrawing(source: ModelSource): ModelSource {
    return {
      resolve: async signal => {
        try {
          return await source.resolve(signal)
        } catch (error) {
          if (error instanceof ModelRefused && error.reason === 'not_found') this.#follower.rollout.withdraw()
          throw error
        }
      },
      fetch: (ref, folder, signal) => source.fetch(ref, folder, signal)
    }
  }
}
