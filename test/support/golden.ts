import type { Answer } from './ledger.js'
import type { TestBundle } from './bundles.js'

/** Whether a forecast row is the trainer's, within the bundle's own tolerance or `relative` where it is given. */
export function isGolden(
  { manifest, golden }: TestBundle,
  expected: readonly number[],
  row: Readonly<Record<string, unknown>>,
  relative = golden.tolerance.relative
): boolean {
  return manifest.features.every(({ name }, index) => {
    const want = expected[index]!
    const allowed = Math.max(Math.abs(want) * relative, golden.tolerance.absolute[index]!)
    return Math.abs(Number(row[name]) - want) <= allowed
  })
}

/** Says of an answer's predictions whether they are the trainer's forecast of a golden window. */
export function goldenAnswer(bundle: TestBundle, index: number) {
  return (predictions: NonNullable<Answer['predictions']>): boolean =>
    predictions.length === 1 && isGolden(bundle, bundle.golden.windows[index]!.forecast, predictions[0]!)
}

/** A forecast row that came as numbers in the order of the features, by their names. */
export function namedRow({ manifest }: TestBundle, values: readonly number[]): Record<string, number> {
  return Object.fromEntries(manifest.features.map(({ name }, feature) => [name, values[feature]!]))
}
