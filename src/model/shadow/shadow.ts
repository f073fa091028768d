import { ModelRefused } from '../../errors.js'
import type { Bundle } from '../bundle/bundle.js'
import type { Forecast } from '../inference/forecast.js'
import type { PoolOptions } from '../inference/pool-contract.js'
import { ActiveModel } from '../promotion/active-model.js'
import { Converger, type ConvergeOptions } from '../promotion/reconciler.js'
import { Rollout, type RolloutObserver } from '../promotion/rollout.js'
import type { Hint } from '../promotion/steps.js'
import { Watch } from '../promotion/poller.js'
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
  /** how the shadow's only worker runs; the places for rows are a batch's */
  pool: Pick<PoolOptions, 'batchCap' | 'runTimeoutMs' | 'heapMb' | 'workerEntry'>
  maxRows: number
  pollMs: number
  converge: Pick<ConvergeOptions, 'source' | 'obtain' | 'sandbox' | 'resolveTimeoutMs'>
}

/** There is no shadow before its alias names one. */
const nothingEmbedded = () => Promise.reject(new ModelRefused('not_found', 'no shadow comes with the service'))

/**
 * A second version that forecasts a share of the live rows for nobody: it is found, checked and kept up as the promoted one
 * is, in a pool of its own, and what it does changes no answer.
 */
export class Shadow {
  readonly active = new ActiveModel()
  readonly #options: ShadowOptions
  readonly #rollout: Rollout
  readonly #converger: Converger
  readonly #watch: Watch
  readonly #sampler: Sampler
  #judgedBy: Bundle | undefined

  constructor(options: ShadowOptions, observer: ShadowObserver) {
    const { live, share, maxRows, converge, pollMs } = options
    const { batchCap, runTimeoutMs } = options.pool
    const { active } = this
    this.#options = options
    const pool = { ...options.pool, queueRows: batchCap, workers: 1, background: true }
    const accept = (bundle: Bundle) => this.#accept(bundle)
    this.#rollout = new Rollout(active, { fetch: nothingEmbedded, pool, maxRows, accept }, observer)
    const source = this.#withdrawing(converge.source)
    const onHint = () => this.#reconsider()
    this.#converger = new Converger(active, this.#rollout, { ...converge, source, kind: 'mlflow', onHint })
    this.#watch = new Watch(this.#converger, pollMs)
    this.#sampler = new Sampler({ live, shadow: active, share, patienceMs: runTimeoutMs }, observer)
  }

  /** Begins to look at intervals. */
  start(): void {
    this.#watch.start()
  }

  /** Looks at what the alias names now. Never throws. */
  hint(from: Hint): Promise<void> {
    return this.#watch.hint(from)
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

  /** Ends the look under way, then the pool after its last row. */
  async close(): Promise<void> {
    await this.#watch.close()
    await this.#rollout.close()
  }

  #accept(bundle: Bundle): void {
    const live = this.#options.live.serving?.pool.bundle
    this.#judgedBy = live
    const why = live && incomparable(live.manifest, bundle.manifest)
    if (why === undefined) return
    throw new ModelRefused('signature_mismatch', `it cannot shadow version ${live!.manifest.version}: ${why}`)
  }

  /** What was refused for not being like the live model is judged anew by the next one. */
  #reconsider(): void {
    if (this.#judgedBy !== this.#options.live.serving?.pool.bundle) this.#converger.forgive()
  }

  /** An alias that is gone asks for no shadow; a registry that is away asks for nothing. */
  #withdrawing(source: ModelSource): ModelSource {
    return {
      resolve: async signal => {
        try {
          return await source.resolve(signal)
        } catch (error) {
          if (error instanceof ModelRefused && error.reason === 'not_found') this.#rollout.withdraw()
          throw error
        }
      },
      fetch: (pointer, folder, signal) => source.fetch(pointer, folder, signal)
    }
  }
}
