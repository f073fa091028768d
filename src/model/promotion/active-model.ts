import type { RefusalReason } from '../../errors.js'
import type { Pool } from '../inference/pool.js'
import type { WindowReader } from '../inference/window.js'

/** A model that serves, with everything that belongs to its version. */
export interface ServingModel {
  readonly pool: Pool
  readonly reader: WindowReader
  readonly since: Date
}

/** How the last rollout ended. */
export interface PromotionOutcome {
  outcome: 'live' | 'refused'
  reason?: RefusalReason
  message?: string
  /** of the bundle, where it could be read */
  version?: string
  at: Date
}

/** The one reference that a swap replaces. Whoever holds a model goes on with it; whoever asks gets the newest. */
export class ActiveModel {
  lastPromotion: PromotionOutcome | undefined
  #serving: ServingModel | undefined

  get serving(): ServingModel | undefined {
    return this.#serving
  }

  /** A model is warmed and its workers are able to run it. */
  get ready(): boolean {
    return this.#serving?.pool.ready ?? false
  }

  /** Puts a model in the place of the one that served, which is returned for its owner to drain. */
  swap(model: ServingModel | undefined): ServingModel | undefined {
    const old = this.#serving
    this.#serving = model
    return old
  }
}
