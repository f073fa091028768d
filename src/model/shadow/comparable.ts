import { type Manifest, usesMinute } from '../bundle/manifest.js'

/**
 * Why two models' forecasts of the same window cannot be set against each other, as one line that names the element; undefined
 * if they can. `one` and `other` must agree on what a row is and on which row comes next.
 */
export function incomparable(one: Manifest, other: Manifest): string | undefined {
  if (one.features.length !== other.features.length) {
    return `the shadow has ${other.features.length} features, not ${one.features.length}`
  }
  const at = one.features.findIndex(({ name, unit }, index) => {
    const feature = other.features[index]!
    return feature.name !== name || feature.unit !== unit
  })
  const shown = ({ features }: Manifest) => `${features[at]!.name} in ${features[at]!.unit}`
  if (at !== -1) return `feature ${at} is ${shown(other)}, not ${shown(one)}`
  if (one.window !== other.window) return `the window has ${other.window} rows, not ${one.window}`
  if (one.frequency_seconds !== other.frequency_seconds) {
    return `rows are ${other.frequency_seconds} s apart, not ${one.frequency_seconds}`
  }
  if (usesMinute(one) !== usesMinute(other))
    return `the shadow ${usesMinute(other) ? 'needs' : 'lacks'} the input minute`
  return undefined
}
