/**
 * Times as they stand in a request: ISO 8601 date and time, to the minute or finer, with `Z`, an offset or none.
 * A time without an offset is UTC whatever the host's zone: read as local time, an hour of the year would not exist.
 */

/** How a time was written, so that the answer's times can be written alike. */
export interface TimeStyle {
  separator: string
  seconds: boolean
  /** digits after the seconds' point */
  fraction: number
  /** '' for none, 'Z', or an offset as it was written */
  zone: string
  offsetMinutes: number
}

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)([T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|([+-])(\d\d)(?::?(\d\d))?)?$/

/** Years that a time may lie in: what fits int32 minutes and is plausibly meant. */
const EARLIEST = Date.UTC(1970, 0, 1)
const LATEST = Date.UTC(2100, 0, 1)

/** Reads the digits at `at` as a number; anything else gives NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

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

/** Whether the text has the length and the last colon of `YYYY-MM-DDTHH:MM:SS`. */
function isPlain(text: string): boolean {
  return text.length === 19 && text.charCodeAt(16) === 58
}

/** The commonest form, `YYYY-MM-DDTHH:MM:SS`, without a regular expression: it is read ten times a request. */
function parsePlain(text: string): number {
  const separators = text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45 && text.charCodeAt(13) === 58
  if (!separators) return NaN
  const between = text.charCodeAt(10)
  if (between !== 84 && between !== 32) return NaN
  const hours = twoDigits(text, 11)
  const minutes = twoDigits(text, 14)
  if (!(hours < 24 && minutes < 60)) return NaN
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const midnight = midnightOf(year, twoDigits(text, 5), twoDigits(text, 8))
  return toEpoch(midnight, hours * 60 + minutes, twoDigits(text, 17))
}

/** Milliseconds since the Unix epoch, or NaN if `text` is no time. */
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

const PLAIN: Record<string, TimeStyle> = {
  T: { separator: 'T', seconds: true, fraction: 0, zone: '', offsetMinutes: 0 },
  ' ': { separator: ' ', seconds: true, fraction: 0, zone: '', offsetMinutes: 0 }
}

/** The style of a time that `parseTime` has accepted. */
export function styleOf(text: string): TimeStyle {
  if (isPlain(text)) return PLAIN[text[10]!]!
  const match = PATTERN.exec(text)!
  return {
    separator: match[4]!,
    seconds: match[7] !== undefined,
    fraction: match[8]?.length ?? 0,
    zone: match[9] ?? '',
    offsetMinutes: offsetOf(match)
  }
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** The date of the last day that was written: the times of many answers lie on few days. */
let lastDay = { day: NaN, date: '' }

function dateOf(day: number): string {
  if (lastDay.day !== day) lastDay = { day, date: new Date(day * 86_400_000).toISOString().slice(0, 10) }
  return lastDay.date
}

/** Writes `ms` since the epoch in the given style. */
export function formatTime(ms: number, style: TimeStyle): string {
  const local = ms + style.offsetMinutes * 60_000
  const day = Math.floor(local / 86_400_000)
  const seconds = Math.floor((local - day * 86_400_000) / 1000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`
  const start = dateOf(day) + style.separator + clock
  const withSeconds = style.seconds || local % 60_000 !== 0 ? `${start}:${TWO_DIGITS[seconds % 60]}` : start
  return withSeconds + fractionOf(local, style.fraction) + style.zone
}

function fractionOf(local: number, digits: number): string {
  if (digits === 0) return ''
  return `.${String(local % 1000)
    .padStart(3, '0')
    .padEnd(digits, '0')
    .slice(0, digits)}`
}
