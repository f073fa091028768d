import { MAX_SPACING_MS } from '../../../model/inference/timestamps.js'
import { faultAt, type Fields, type Place } from '../fields.js'

/** Seconds between two rows by the standard's names; none of those that vary in length. */
const SECONDS: Readonly<Record<string, number | undefined>> = {
  second: 1,
  S: 1,
  minute: 60,
  T: 60,
  hour: 3600,
  H: 3600,
  day: 86_400,
  D: 86_400,
  week: 604_800,
  W: 604_800
}
const VARYING = ['month', 'M', 'quarter', 'Q', 'year', 'Y']
const NAMES = [...Object.keys(SECONDS), ...VARYING]
const MOST = MAX_SPACING_MS / 1000

/**
 * Seconds between two rows of a series. The standard has no name for two minutes: its own field `frequency_seconds` says how many
 * seconds it is, a multiple of what the name says.
 * @throws ServiceError that points to the field
 */
export function secondsOf({ frequency, frequency_seconds: own }: Fields, place: Place): number {
  const at = [...place, 'frequency']
  if (typeof frequency !== 'string' || !NAMES.includes(frequency)) {
    const code =
      typeof frequency === 'string' ? 'out_of_range' : frequency === undefined ? 'missing_field' : 'wrong_type'
    throw faultAt(at, code, `expected one of ${NAMES.join(', ')}`)
  }
  const unit = SECONDS[frequency]
  if (unit === undefined) throw faultAt(at, 'out_of_range', 'expected rows that are a week apart or less')
  if (own === undefined) return unit
  if (typeof own === 'number' && own >= unit && own <= MOST && own % unit === 0) return own
  const message = `expected a multiple of ${unit}, the seconds of a ${frequency}, up to ${MOST}`
  throw faultAt([...place, 'frequency_seconds'], typeof own === 'number' ? 'out_of_range' : 'wrong_type', message)
}
