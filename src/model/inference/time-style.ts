import { NANOS_A_MS, type Written, writtenAs } from './timestamps.js'

/** How the times of a table were written, so that the answer's times can be written alike. */
export interface TimeStyle extends Omit<Written, 'digits'> {
  /** the numbers of digits that its times have, the fewest first; see `Written` */
  digits: readonly number[]
}

const WHOLE_SECONDS = [0]
const PLAIN: Record<string, TimeStyle> = Object.fromEntries(
  ['T', 't', ' '].map(separator => [separator, { separator, digits: WHOLE_SECONDS, zone: '', offsetMinutes: 0 }])
)

/** The style of a plain time, see `isPlain`. */
export function plainStyle(text: string): TimeStyle {
  return PLAIN[text[10]!]!
}

/**
 * The style of times that `parseTime` has accepted, from row `first` on. Separator and offset are the last one's. Digits may differ
 * from row to row: many writers leave zeros away.
 */
export function styleOf(times: readonly string[], first: number): TimeStyle {
  const last = writtenAs(times[times.length - 1]!)
  const digits = new Set(times.slice(first).map(text => writtenAs(text).digits))
  return { ...last, digits: [...digits].sort((a, b) => a - b) }
}

/** Whether some time of the style may have digits below the millisecond. */
export function isFinerThanMs({ digits }: TimeStyle): boolean {
  return digits[digits.length - 1]! > 3
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** The date of the last day that was written: the times of many answers lie on few days. */
let lastDay = { day: NaN, date: '' }

function dateOf(day: number): string {
  if (lastDay.day !== day) lastDay = { day, date: new Date(day * 86_400_000).toISOString().slice(0, 10) }
  return lastDay.date
}

/**
 * Writes a time of whole `ms` since the epoch and the nanoseconds beyond, with the fewest of the style's digits that lose
 * nothing, or with more where none of them is enough.
 */
export function formatTime(ms: number, nanos: number, style: TimeStyle): string {
  const local = ms + style.offsetMinutes * 60_000
  const day = Math.floor(local / 86_400_000)
  const seconds = Math.floor((local - day * 86_400_000) / 1000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`
  const start = dateOf(day) + style.separator + clock
  const below = local % 1000
  if (style.digits === WHOLE_SECONDS && below === 0 && nanos === 0) return `${start}:${TWO_DIGITS[seconds % 60]}`
  const second = `:${TWO_DIGITS[seconds % 60]}.${String(below * NANOS_A_MS + nanos).padStart(9, '0')}`
  return start + shortened(second, style.digits) + style.zone
}

/** The beginning of `:SS.nnnnnnnnn` that is written: nothing, the seconds, or these and some digits. */
function shortened(second: string, styles: readonly number[]): string {
  const needed = /^:00\.0{9}$/.test(second) ? -1 : second.replace(/0+$/, '').length - POINT - 1
  const digits = styles.find(digits => digits >= needed) ?? needed
  if (digits === -1) return ''
  return second.slice(0, digits === 0 ? POINT : POINT + 1 + digits)
}

/** Where the point stands in `:SS.nnnnnnnnn`. */
const POINT = 3
