import { ServiceError } from '../../errors.js'
import { hasZone, NANOS_A_MS, nanosOf, parseTime } from './timestamps.js'

/** A time, or what lies between two: whole ms, and the nanoseconds beyond, fewer than a ms has. */
export interface Moment {
  readonly ms: number
  readonly nanos: number
}

export function tooFarApart(path: string | undefined): ServiceError {
  return new ServiceError('bad_timestamp', 'the last rows of the table are more than a year apart', path)
}

/** The time of a row in ms; NaN unless it can be read, is later than the row before it and has a zone just if it must. */
export function laterTime(times: readonly unknown[], row: number, previous: number, zoned: boolean): number {
  const text = times[row]
  if (typeof text !== 'string') return NaN
  const time = parseTime(text)
  const isLater = time > previous || (time === previous && nanosOf(text) > nanosOf(times[row - 1] as string))
  return isLater && hasZone(text) === zoned ? time : NaN
}

/** What lies between each two of the times from row `first` on; undefined where that differs. */
export function evenGap(times: readonly string[], first: number): Moment | undefined {
  const gaps = times.slice(first + 1).map((text, index): Moment => {
    const before = times[first + index]!
    const nanos = nanosOf(text) - nanosOf(before)
    const borrow = nanos < 0 ? 1 : 0
    return { ms: parseTime(text) - parseTime(before) - borrow, nanos: nanos + borrow * NANOS_A_MS }
  })
  const [gap] = gaps
  return gaps.every(({ ms, nanos }) => ms === gap!.ms && nanos === gap!.nanos) ? gap : undefined
}
