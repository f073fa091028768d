import type { Bundle } from '../bundle/bundle.js'
import { incomparable } from './comparable.js'

/** What becomes of a live row that the shadow is to have as well. */
export const SHADOW_ROWS = ['compared', 'dropped', 'failed'] as const
export type ShadowRow = (typeof SHADOW_ROWS)[number]

/** How far one feature of two forecasts is apart. */
export interface Difference {
  feature: string
  /** |shadow - live|, in raw units */
  absolute: number
  /** of the live value, or of the live model's absolute tolerance where that is more: next to nothing is no scale */
  relative: number
}

interface Sums {
  absolute: number
  relative: number
  largest: number
}

/** What a live and a shadow version forecast for the same windows, for as long as both are in their places. */
export class Comparison {
  readonly live: Bundle
  readonly shadow: Bundle
  /** why nothing is compared; null while rows are */
  readonly idle: 'same_model' | 'other_signature' | null
  readonly rows: Record<ShadowRow, number> = { compared: 0, dropped: 0, failed: 0 }
  readonly #sums: Sums[]
  readonly #runMs = { live: 0, shadow: 0 }

  constructor(live: Bundle, shadow: Bundle) {
    this.live = live
    this.shadow = shadow
    const same = live.manifest.sha256 === shadow.manifest.sha256
    const other = incomparable(live.manifest, shadow.manifest) !== undefined
    this.idle = same ? 'same_model' : other ? 'other_signature' : null
    this.#sums = live.manifest.features.map(() => ({ absolute: 0, relative: 0, largest: 0 }))
  }

  /** Takes in both forecasts of a row, a value a feature, and the ms of the model runs that they came from. */
  add(live: readonly number[], shadow: readonly number[], runMs: { live: number; shadow: number }): Difference[] {
    this.#runMs.live += runMs.live
    this.#runMs.shadow += runMs.shadow
    const { manifest, golden } = this.live
    return manifest.features.map(({ name: feature }, index) => {
      const absolute = Math.abs(shadow[index]! - live[index]!)
      const scale = Math.max(Math.abs(live[index]!), golden.tolerance.absolute[index]!) || Math.abs(shadow[index]!)
      const relative = absolute === 0 ? 0 : absolute / scale
      const sums = this.#sums[index]!
      sums.absolute += absolute
      sums.relative += relative
      sums.largest = Math.max(sums.largest, relative)
      return { feature, absolute, relative }
    })
  }

  /** For `GET /model`; a mean is null before there is a row. */
  get summary() {
    const { compared } = this.rows
    const mean = (sum: number) => (compared === 0 ? null : sum / compared)
    const { live, shadow } = this.#runMs
    return {
      live_version: this.live.manifest.version,
      idle: this.idle,
      rows: { ...this.rows },
      mean_run_seconds: { live: mean(live / 1000), shadow: mean(shadow / 1000) },
      differences: Object.fromEntries(
        this.live.manifest.features.map(({ name }, index) => {
          const { absolute, relative, largest } = this.#sums[index]!
          return [
            name,
            {
              mean_absolute: mean(absolute),
              mean_relative: mean(relative),
              max_relative: compared === 0 ? null : largest
            }
          ]
        })
      )
    }
  }
}
