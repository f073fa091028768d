import { type Manifest, usesMinute } from '../../../model/bundle/manifest.js'
import type { WindowTensor } from '../../../model/inference/window.js'
import { faultAt, fieldsOf, listOf, type Place, refuseOthers } from '../fields.js'

/** Windows that came as nested lists. */
export interface Windows {
  readonly count: number
  readonly tensor: WindowTensor
  /** where a window stands */
  at(index: number): Place
}

/** What windows must be like, and the most that there may be. */
export interface WindowShape {
  readonly manifest: Manifest
  readonly most: number
}

/** A window as the caller sent it, and where. */
interface Given {
  readonly window: unknown
  readonly windowAt: Place
  readonly minute?: unknown
  readonly minuteAt: Place
}

/** Minutes since the epoch at the end of 2099. */
const LAST_MINUTE = Date.UTC(2100, 0, 1) / 60_000 - 1
const NAMES = ['window', 'minute']

/**
 * `inputs`: a nested list [n, rows, features] in raw units, in the order of the manifest's features; or an object with this list as
 * `window`, and with `minute` [n, rows] for models that take the minute of each row since 1970.
 * @throws ServiceError that points to the element at fault
 */
export function inputWindows(value: unknown, shape: WindowShape): Windows {
  if (Array.isArray(value)) return windowsOf(value.map(unnamed('inputs')), ['inputs'], shape)
  const place = ['inputs']
  const named = fieldsOf(value, place)
  refuseOthers(named, place, NAMES)
  const windows = listOf(named.window, [...place, 'window'], 'an array of windows')
  const minutes =
    named.minute === undefined ? undefined : listOf(named.minute, [...place, 'minute'], 'an array of arrays')
  if (minutes !== undefined && minutes.length !== windows.length) {
    const message = `expected as many as there are windows, ${windows.length}, got ${minutes.length}`
    throw faultAt([...place, 'minute'], 'ragged_columns', message)
  }
  const given = windows.map((window, index) => ({
    window,
    windowAt: [...place, 'window', index],
    minute: minutes?.[index],
    minuteAt: [...place, 'minute', index]
  }))
  return windowsOf(given, [...place, 'window'], shape)
}

/**
 * `instances`: a nested list as `inputs` may be, or a list with an object for each window: `window` [rows, features], and `minute`
 * [rows] for models that take it.
 * @throws ServiceError that points to the element at fault
 */
export function instanceWindows(value: unknown, shape: WindowShape): Windows {
  const place = ['instances']
  const instances = listOf(value, place, 'an array of windows')
  const given = instances.map((instance, index): Given => {
    if (Array.isArray(instance)) return unnamed('instances')(instance, index)
    const named = fieldsOf(instance, [...place, index])
    refuseOthers(named, [...place, index], NAMES)
    const { window, minute } = named
    return { window, windowAt: [...place, index, 'window'], minute, minuteAt: [...place, index, 'minute'] }
  })
  return windowsOf(given, place, shape)
}

const unnamed = (field: string) => (window: unknown, index: number) => ({
  window,
  windowAt: [field, index],
  minuteAt: [field, index]
})

function windowsOf(given: readonly Given[], place: Place, { manifest, most }: WindowShape): Windows {
  const { window: rows, features } = manifest
  if (given.length === 0) throw faultAt(place, 'out_of_range', 'expected a window')
  if (given.length > most) throw faultAt(place, 'out_of_range', `expected at most ${most} windows`)
  const width = features.length
  const values = new Float32Array(given.length * rows * width)
  const minutes = usesMinute(manifest) ? new Int32Array(given.length * rows) : undefined
  for (const [index, { window, windowAt, minute, minuteAt }] of given.entries()) {
    for (const [row, cells] of exactly(rows, window, windowAt, 'rows').entries()) {
      const at = [...windowAt, row]
      values.set(exactly(width, cells, at, 'values').map(numberAt(at)), (index * rows + row) * width)
    }
    minutes?.set(minutesOf(minute, minuteAt, rows), index * rows)
    if (!minutes && minute !== undefined) throw faultAt(minuteAt, 'unknown_field', 'the model takes no minutes')
  }
  const tensor = { values: bytesOf(values), minutes: minutes && bytesOf(minutes) }
  return { count: given.length, tensor, at: index => given[index]!.windowAt }
}

function exactly(length: number, value: unknown, place: Place, what: string): readonly unknown[] {
  const list = listOf(value, place, `an array of ${length} ${what}`)
  if (list.length === length) return list
  throw faultAt(place, 'ragged_columns', `expected ${length} ${what}, got ${list.length}`)
}

function minutesOf(value: unknown, place: Place, rows: number): number[] {
  if (value !== undefined) return exactly(rows, value, place, 'minutes').map(minuteOf(place))
  const message = 'the model takes the minute of each row too: send an object with window and minute'
  throw faultAt(place, 'missing_field', message)
}

const numberAt = (place: Place) => (value: unknown, index: number) => {
  if (typeof value === 'number') return value
  throw faultAt([...place, index], 'not_a_number', 'expected a number')
}

const minuteOf = (place: Place) => (value: unknown, index: number) => {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LAST_MINUTE) return value as number
  throw faultAt([...place, index], 'bad_timestamp', 'expected a whole number of minutes since 1970')
}

function bytesOf({ buffer, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, 0, byteLength)
}
