/**
 * Times as they stand in a request: ISO 8601 date and time, to the minute or finer, with `Z`, an offset or none; `t` and `z`
 * too, as RFC 3339 has it. A time without an offset is UTC whatever the host's zone: read as local time, an hour of the year
 * would not exist.
 */

/** A number of ms since the epoch has no room for what is finer, so that stands apart: `nanosOf`, at most so many. */
export const NANOS_A_MS = 1_000_000

const PATTERN =
  /^(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/

/** Years that a time may lie in: what fits int32 minutes and is plausibly meant. */
const EARLIEST = Date.UTC(1970, 0, 1)
const LATEST = Date.UTC(2100, 0, 1)

/** Two digits, by their character codes, as a number; anything else gives NaN. */
function pairOf(first: number, second: number): number {
  const tens = first - 48
  const ones = second - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Reads the digits at `at` as a number; anything else gives NaN. */
const twoDigits = (text: string, at: number) => pairOf(text.charCodeAt(at), text.charCodeAt(at + 1))

/** The last day that was read: most times of a window lie on the same one. */
let lastRead = { key: NaN, midnight: NaN }

/** Ms since the epoch at the day's start; NaN for a day that its month does not have, which `Date` would roll over. */
function midnightOf(year: number, month: number, day: number): number {
  const key = (year * 16 + month) * 32 + day
  if (lastRead.key !== key) {
    const midnight = month >= 1 && month <= 12 ? Date.UTC(year, month - 1, day) : NaN
    lastRead = { key, midnight: new Date(midnight).getUTCDate() === day ? midnight : NaN }
  }
  return lastRead.midnight
}

/** `minutes` of the day and `seconds` of the minute, at a day's start; NaN if out of range. */
function toEpoch(midnight: number, minutes: number, seconds: number): number {
  if (!(seconds < 60 && minutes < 1440)) return NaN
  const ms = midnight + minutes * 60_000 + seconds * 1000
  return ms >= EARLIEST && ms < LATEST ? ms : NaN
}

/** Whether the text has the length and the last colon of the commonest form. */
export function isPlain(text: string): boolean {
  return text.length === PLAIN_LENGTH && text.charCodeAt(16) === 58
}

/** A leap year. Rows further apart are refused: a thousand steps would leave the years of four digits, and the int32 of minutes. */
export const MAX_SPACING_MS = 366 * 24 * 3_600_000

/** Characters of the commonest form, `YYYY-MM-DDTHH:MM:SS`. */
export const PLAIN_LENGTH = 19

/** The commonest form, without a regular expression: ten times stand in a request. NaN for any other. */
function parsePlain(text: string): number {
  const separators = text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45 && text.charCodeAt(13) === 58
  if (!separators || !isBetween(text.charCodeAt(10))) return NaN
  const date = dayOf(twoDigits(text, 0), twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8))
  return atTime(date, twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
}

/** As `parseTime`, for the `PLAIN_LENGTH` bytes from `at` on; NaN for what is not of the commonest form. */
export function parsePlainBytes(bytes: Uint8Array, at: number): number {
  const two = (from: number) => pairOf(bytes[at + from]!, bytes[at + from + 1]!)
  const separators = bytes[at + 4] === 45 && bytes[at + 7] === 45 && bytes[at + 13] === 58 && bytes[at + 16] === 58
  if (!separators || !isBetween(bytes[at + 10]!)) return NaN
  return atTime(dayOf(two(0), two(2), two(5), two(8)), two(11), two(14), two(17))
}

/** Whether it may stand between date and time: `T`, `t` or a space. */
const isBetween = (code: number) => code === 84 || code === 32 || code === 116

const dayOf = (century: number, year: number, month: number, day: number) =>
  midnightOf(century * 100 + year, month, day)

function atTime(midnight: number, hours: number, minutes: number, seconds: number): number {
  return hours < 24 && minutes < 60 ? toEpoch(midnight, hours * 60 + minutes, seconds) : NaN
}

/** Whole milliseconds since the Unix epoch, or NaN if `text` is no time. */
export function parseTime(text: string): number {
  if (isPlain(text)) return parsePlain(text)
  const match = PATTERN.exec(text)
  if (!match) return NaN
  const [, year, month, day, , hour, minute, second = '0', fraction = ''] = match
  const hours = Number(hour)
  const minutes = Number(minute)
  if (hours > 23 || minutes > 59) return NaN
  const midnight = midnightOf(Number(year), Number(month), Number(day))
  const whole = toEpoch(midnight, hours * 60 + minutes, Number(second))
  const offset = offsetOf(match)
  const ms = whole + Number(fraction.padEnd(3, '0').slice(0, 3)) - offset * 60_000
  return ms >= EARLIEST && ms < LATEST ? ms : NaN
}

const POINT = 19

/** Nanoseconds beyond the milliseconds of a time that `parseTime` has accepted. */
export function nanosOf(text: string): number {
  if (text.charCodeAt(POINT) !== 46) return 0
  const digits = /^\d+/.exec(text.slice(POINT + 1))![0]
  return Number(digits.slice(3, 9).padEnd(6, '0'))
}

/** Minutes east of UTC; NaN for an offset that no place has. */
function offsetOf(match: RegExpExecArray): number {
  const [, , , , , , , , , , sign, hours, minutes = '0'] = match
  if (!sign) return 0
  const size = Number(hours) * 60 + Number(minutes)
  if (size > 14 * 60 || Number(minutes) > 59) return NaN
  return sign === '-' ? -size : size
}

/** Whether the time carries a zone; all times of one column must agree in that. */
export function hasZone(text: string): boolean {
  return !isPlain(text) && PATTERN.exec(text)?.[9] !== undefined
}

/** How one time was written. */
export interface Written {
  separator: string
  /** -1 for a time to the minute, 0 for whole seconds, else the digits after their point */
  digits: number
  /** '' for none, `Z`, or an offset as it was written */
  zone: string
  offsetMinutes: number
}

/** How a time that `parseTime` has accepted was written. */
export function writtenAs(text: string): Written {
  const match = PATTERN.exec(text)!
  const digits = match[7] === undefined ? -1 : (match[8]?.length ?? 0)
  return { separator: match[4]!, digits, zone: match[9] ?? '', offsetMinutes: offsetOf(match) }
}
