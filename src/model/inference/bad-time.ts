import { ServiceError } from '../../errors.js'
import { NANOS_A_MS, nanosOf, parseTime } from './timestamps.js'

const EXPECTED = 'expected an ISO 8601 date and time such as 2018-02-28T05:54:00, from 1970 to 2099'

/** Epoch times that are taken for such: of the years 2001 to 2099, for a smaller number may be anything. */
const EPOCH_MS = { least: 1e12, most: Date.UTC(2100, 0, 1) }
const UNITS = [
  ['seconds', 1000],
  ['milliseconds', 1],
  ['microseconds', 1 / 1000],
  ['nanoseconds', 1 / NANOS_A_MS]
] as const

/** The refusal of a row's time: what it should be, or how it does not go with the row before, which has passed. */
export function badTime(times: readonly unknown[], row: number, path: string | undefined): ServiceError {
  const value = times[row]
  if (typeof value !== 'string') return new ServiceError('wrong_type', epochTime(value) ?? EXPECTED, path)
  const time = parseTime(value)
  if (Number.isNaN(time)) {
    return new ServiceError('bad_timestamp', badText(value) ?? epochTime(value) ?? EXPECTED, path)
  }
  const before = times[row - 1] as string
  const later = time - parseTime(before) || nanosOf(value) - nanosOf(before)
  if (later === 0) return new ServiceError('duplicate_timestamp', 'the time is the same as in the row before', path)
  return later < 0
    ? new ServiceError('unordered_timestamps', 'the time is earlier than in the row before: times must increase', path)
    : new ServiceError(
        'bad_timestamp',
        'the time has a UTC offset and the row before has none, or the reverse: send all times alike',
        path
      )
}

/** Looks at so many characters only: a text may be as long as a body. */
const LOOKED_AT = 64

function badText(text: string): string | undefined {
  if (/:\d\d\.\d{10}/.test(text.slice(0, LOOKED_AT))) return 'the time has more than nine decimals of a second'
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${EXPECTED}; a date alone has no time of day`
  return undefined
}

/** What to send in the place of a number since 1970, by the unit that gives a plausible time; undefined for any other value. */
function epochTime(value: unknown): string | undefined {
  const number = typeof value === 'string' && /^\d{10,19}(\.\d{1,9})?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return undefined
  for (const [unit, factor] of UNITS) {
    const ms = number * factor
    if (ms < EPOCH_MS.least || ms >= EPOCH_MS.most) continue
    const meant = new Date(Math.round(ms)).toISOString().replace('.000Z', 'Z')
    return `${EXPECTED}; send this epoch time in ${unit} as the text ${meant}`
  }
  return undefined
}
