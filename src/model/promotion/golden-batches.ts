import { ModelRefused } from '../../errors.js'
import type { Bundle } from '../bundle/bundle.js'
import type { Golden, GoldenWindow, Manifest } from '../bundle/manifest.js'

/** A window that a model is verified with. */
export interface BatchWindow {
  /** [windowRows, featureCount] in raw units, flat */
  window: readonly number[]
  minute: readonly number[] | undefined
  /** number of the golden window that it is, or that it was made of */
  index: number
  /** what the trainer's framework answered; a copy has no such answer: what it gets alone is what it must get in company */
  forecast: readonly number[] | undefined
}

/** Numbers of members, in the order of the batch's rows. */
export type Batch = readonly number[]

/** Relative difference that batch sizes make in float32 whatever the tolerance says, with room (docs/adr/0011). */
const NOISE = 1e-5
const MAX_MINUTE = 2 ** 31 - 1
/** Minutes between the times of two copies: neither an hour nor a day divides by it. */
const MINUTES = 97
/** Steps of a sequence that fills the unit interval evenly: the golden ratio, and that of the next dimension. */
const STEPS = [0.618_033_988_75, 0.754_877_666_25] as const

/**
 * The batches that a model must answer before it serves: every size from 1 to the cap, each row among neighbours that differ
 * from it and change from batch to batch. Golden windows are held to the trainer's answers. Between them ride copies that
 * are changed, as many as a batch has rows, because golden.json may have one window, or nothing but like ones.
 */
export class GoldenBatches {
  readonly members: readonly BatchWindow[]
  /** batches of one row */
  readonly alone: Batch[]
  /** batches of 2 rows, 3 rows and so on to the cap, then what is left */
  readonly together: Batch[]
  readonly #bundle: Bundle
  /** what each copy got when it was alone */
  readonly #answers = new Map<number, readonly number[]>()
  /** largest golden forecast of each feature: close to 0 the share of a copy's own answer would be too little */
  readonly #scale: number[]

  constructor(bundle: Bundle, cap: number) {
    const { manifest, golden } = bundle
    const { windows } = golden
    const copies = cap === 1 ? [] : Array.from({ length: cap }, (_, number) => copyOf(manifest, windows, number))
    if (copies.length > 0 && new Set(copies.map(({ window }) => window.join())).size === 1) {
      throw new ModelRefused(
        'golden_invalid',
        'golden.json: every value of every window is a minimum, so rows cannot be told apart'
      )
    }
    this.#bundle = bundle
    this.#scale = manifest.features.map((_, feature) =>
      Math.max(...windows.map(({ forecast }) => Math.abs(forecast[feature]!)))
    )
    this.members = [...windows.map(memberOf), ...copies]
    const own = windows.map((_, member) => member)
    const others = copies.map((_, number) => windows.length + number)
    this.alone = [...own.slice(0, cap), ...others].map(member => [member])
    this.together = batchesOf(own, others, cap)
  }

  /** Refuses the bundle when a row of `batch` has another answer than it must have. `forecasts` is [rows, featureCount], flat. */
  check(batch: Batch, forecasts: ArrayLike<number>): void {
    const width = this.#bundle.manifest.features.length
    if (forecasts.length !== batch.length * width) {
      const message = `${rowsOf(batch)} gives ${forecasts.length} values instead of ${batch.length * width}`
      throw new ModelRefused('golden_mismatch', message)
    }
    batch.forEach((number, row) => {
      const got = Array.from({ length: width }, (_, feature) => forecasts[row * width + feature]!)
      const { forecast } = this.members[number]!
      const alone = this.#answers.get(number)
      if (forecast) this.#compareGolden(number, got, batch)
      else if (alone) this.#compareAlone(number, got, batch)
      else this.#answers.set(number, got)
    })
  }

  #compareGolden(number: number, got: number[], batch: Batch): void {
    const { tolerance } = this.#bundle.golden
    const expected = this.members[number]!.forecast!
    const wrong = expected.findIndex((want, feature) => {
      return !within(want, got[feature]!, Math.max(Math.abs(want) * tolerance.relative, tolerance.absolute[feature]!))
    })
    if (wrong !== -1) this.#refuse(`golden window ${number}`, wrong, [expected, got], batch)
  }

  #compareAlone(number: number, got: number[], batch: Batch): void {
    const { relative, absolute } = this.#bundle.golden.tolerance
    const expected = this.#answers.get(number)!
    const wrong = expected.findIndex((want, feature) => {
      // What is no number alone, the windows being legal but not real, must be none in company.
      if (!Number.isFinite(want)) return Number.isFinite(got[feature])
      const size = Math.max(Math.abs(want), this.#scale[feature]!)
      return !within(want, got[feature]!, Math.max(size * Math.max(relative, NOISE), absolute[feature]!))
    })
    const what = `a changed copy of golden window ${this.members[number]!.index}, whose answer differs when run alone`
    if (wrong !== -1) this.#refuse(what, wrong, [expected, got], batch)
  }

  #refuse(what: string, feature: number, [expected, got]: [readonly number[], number[]], batch: Batch): never {
    const { name } = this.#bundle.manifest.features[feature]!
    const values = `expected ${expected[feature]}, got ${got[feature]}`
    throw new ModelRefused('golden_mismatch', `${what}, ${name}: ${values}, in ${rowsOf(batch)}`)
  }
}

/** A batch in words. */
export function rowsOf({ length }: Batch): string {
  return length === 1 ? 'a batch of 1 row' : `a batch of ${length} rows`
}

function within(want: number, got: number, allowed: number): boolean {
  return Math.abs(got - want) <= allowed
}

function memberOf({ window, minute, forecast }: GoldenWindow, index: number): BatchWindow {
  return { window: window.flat(), minute, index, forecast }
}

/**
 * A golden window whose rows are turned round and whose values lie nearer to the features' minima, by another share for each
 * feature and copy: legal, and as like a real window as that allows. Its times are later, by a little more for each copy.
 */
function copyOf({ features }: Manifest, windows: Golden['windows'], number: number): BatchWindow {
  const index = number % windows.length
  const { window, minute } = windows[index]!
  const rows = window.map((_, row) => window[(row + number) % window.length]!)
  const share = (feature: number) => 0.5 + (((number + 1) * STEPS[0] + feature * STEPS[1]) % 1) / 2
  return {
    window: rows.flatMap(row =>
      row.map((value, feature) => {
        const { minimum } = features[feature]!
        return minimum + (value - minimum) * share(feature)
      })
    ),
    minute: minute?.map(one => Math.min(one + (number + 1) * MINUTES, MAX_MINUTE)),
    index,
    forecast: undefined
  }
}

/** Each size from 2 to `cap`, golden windows and copies in turn; then full batches until every golden window was in one. */
function batchesOf(own: readonly number[], others: readonly number[], cap: number): Batch[] {
  const batches: Batch[] = []
  const next = { own: 0, other: 0 }
  const draw = (first: boolean) => (first ? own[next.own++ % own.length]! : others[next.other++ % others.length]!)
  const add = (size: number) =>
    batches.push(Array.from({ length: size }, (_, row) => draw(others.length === 0 || (row + size) % 2 === 0)))
  for (let size = 2; size <= cap; size++) add(size)
  while (next.own < own.length) add(cap)
  // The last one in the other order, and the first window once more: an answer depends neither on places nor on what ran before.
  return [...batches, [...batches.at(-1)!].reverse(), [own[0]!]]
}
