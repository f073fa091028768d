import { monotonicMs } from '../../clock.js'
import { Forecast } from '../inference/forecast.js'
import type { Pool } from '../inference/pool.js'
import type { ActiveModel } from '../promotion/active-model.js'
import { copiedWindow } from '../inference/window.js'
import { Comparison, type Difference, type ShadowRow } from './comparison.js'

/** Told of each live row that the shadow was to have. */
export interface SamplerObserver {
  row(outcome: ShadowRow): void
  difference(difference: Difference): void
}

export interface SamplerOptions {
  live: ActiveModel
  shadow: ActiveModel
  /** of the live rows, above 0 and at most 1 */
  share: number
  /** ms that a row may wait for the shadow */
  patienceMs: number
}

/** Gives the shadow a share of the rows that the live model has answered, and sets the two forecasts against each other. */
export class Sampler {
  readonly #options: SamplerOptions
  readonly #observer: SamplerObserver
  #comparison: Comparison | undefined

  constructor(options: SamplerOptions, observer: SamplerObserver) {
    this.#options = options
    this.#observer = observer
  }

  /** Of the two models that are in their places now; undefined while one is missing. */
  get comparison(): Comparison | undefined {
    const live = this.#options.live.serving?.pool.bundle
    const shadow = this.#options.shadow.serving?.pool.bundle
    if (!live || !shadow) this.#comparison = undefined
    else if (this.#comparison?.live !== live || this.#comparison.shadow !== shadow) {
      this.#comparison = new Comparison(live, shadow)
    }
    return this.#comparison
  }

  /**
   * Takes a forecast whose answer has gone out, in the very turn in which its slot was given back: its last window is still
   * there then. Of several steps it is the last that is compared, from the window that the live model had for it.
   */
  answered(forecast: Forecast): void {
    if (Math.random() >= this.#options.share) return
    const { pool: live } = forecast.order
    const { comparison } = this
    if (!comparison || comparison.idle || live.bundle !== comparison.live) return
    const { pool } = this.#options.shadow.serving!
    // As many slots as one batch has rows: more would only wait, and nobody waits for them.
    if (pool.isFull() || !pool.ready) return this.#count(comparison, 'dropped')
    this.#compare(comparison, pool, forecast)
  }

  #compare(comparison: Comparison, pool: Pool, { order, values, inferMs }: Forecast): void {
    const slot = pool.acquire()
    copyWindow(order.pool, order.window.slot, pool, slot)
    const live = values.slice(-comparison.live.manifest.features.length)
    const runMs = inferMs / order.steps
    // The live model's reader has checked it, and both models mean the same by a row.
    const window = copiedWindow(order.window, slot)
    const deadline = monotonicMs() + this.#options.patienceMs
    const listener = {
      forecasted: (shadow: Forecast) => {
        this.#count(comparison, 'compared')
        const differences = comparison.add(live, shadow.values, { live: runMs, shadow: shadow.inferMs })
        for (const difference of differences) this.#observer.difference(difference)
      },
      failed: () => this.#count(comparison, 'failed')
    }
    new Forecast({ pool, window, steps: 1, deadline }, listener).start()
  }

  #count(comparison: Comparison, outcome: ShadowRow): void {
    comparison.rows[outcome]++
    this.#observer.row(outcome)
  }
}

function copyWindow(from: Pool, source: number, to: Pool, target: number): void {
  const { windowRows: rows, featureCount } = from.slots.shape
  const values = rows * featureCount
  to.slots.window.set(from.slots.window.subarray(source * values, (source + 1) * values), target * values)
  to.slots.minute.set(from.slots.minute.subarray(source * rows, (source + 1) * rows), target * rows)
}
