import { ServiceError } from '../../errors.js'
import { jsonPointer } from '../../json-pointer.js'
import { type Manifest, usesMinute } from '../bundle/manifest.js'
import type { SharedSlots } from './ring/slots.js'
import { badTime } from './bad-time.js'
import { badColumns } from './column-faults.js'
import { evenGap, laterTime, type Moment, tooFarApart } from './row-times.js'
import { formatTime, isFinerThanMs, plainStyle, styleOf, type TimeStyle } from './time-style.js'
import { type ScannedTable, WindowScanner } from './window-scanner.js'
import { hasZone, isPlain, MAX_SPACING_MS, NANOS_A_MS, nanosOf } from './timestamps.js'

/** Column names under which the times are found when the request does not name them. */
export const INDEX_NAMES = ['ts', 'timestamp', 'time', 'date']

/** A columnar table as it came in: nothing about it is trusted yet. */
export interface Table {
  index_col?: string
  data: Record<string, unknown>
}

/** Windows of one call as their bytes, little-endian, row by row, beginning at any byte. */
export interface WindowTensor {
  /** float32 [windows, windowRows, features] in raw units */
  readonly values: Uint8Array
  /** int32 [windows, windowRows], minutes since the epoch; of models that take them */
  readonly minutes?: Uint8Array | undefined
}

declare const validated: unique symbol

/**
 * A slot whose window has passed every check. Only this file makes one, and nothing else may enter a ring: a NaN or a negative value
 * would come out of the graph as a plausible forecast.
 */
export interface ValidWindow {
  readonly [validated]: true
  readonly slot: number
  /** time of the window's last row, since the epoch */
  readonly last: Moment
  /** between a row and the next, for the times of the forecasts */
  readonly spacing: Moment
  readonly style: TimeStyle
  readonly warnings: readonly string[]
}

const vouchFor = (window: Omit<ValidWindow, typeof validated>) => window as ValidWindow

/** A window that was checked and whose values have been copied to `slot`, of a model to which a row means the same. */
export function copiedWindow(window: ValidWindow, slot: number): ValidWindow {
  return { ...window, slot }
}

const START: Moment = { ms: 0, nanos: 0 }

const MINUTE_MS = 60_000
const EPOCH = '1970-01-01T00:00:00'

/** A window of golden.json, or made of one, whose values are in `slot`: legal by the check of the bundle. It stands at no time. */
export function goldenWindow(slot: number): ValidWindow {
  return timeless(slot)
}

function timeless(slot: number): ValidWindow {
  const style = plainStyle(EPOCH)
  return vouchFor({ slot, last: START, spacing: START, style, warnings: NO_WARNINGS })
}

const NO_WARNINGS: readonly string[] = []

/** Checks tables against one manifest and writes their last rows into shared slots. */
export class WindowReader {
  readonly #manifest: Manifest
  readonly #slots: SharedSlots
  readonly #maxRows: number
  readonly #usesMinute: boolean
  readonly #frequency: Moment
  readonly #scanner: WindowScanner
  readonly #names: ReadonlySet<string>
  /** bounds as float32, the type that is compared and computed with */
  readonly #minimum: Float32Array
  readonly #maximum: Float32Array
  /** the slots' windows and minutes, byte by byte */
  readonly #windowBytes: Uint8Array
  readonly #minuteBytes: Uint8Array

  constructor(manifest: Manifest, slots: SharedSlots, maxRows: number) {
    this.#manifest = manifest
    this.#slots = slots
    this.#maxRows = maxRows
    this.#usesMinute = usesMinute(manifest)
    this.#frequency = { ms: manifest.frequency_seconds * 1000, nanos: 0 }
    this.#scanner = new WindowScanner(manifest, INDEX_NAMES)
    this.#names = new Set(manifest.features.map(({ name }) => name))
    this.#minimum = Float32Array.from(manifest.features, feature => feature.minimum)
    this.#maximum = Float32Array.from(manifest.features, feature => feature.maximum ?? Infinity)
    this.#windowBytes = bytesOf(slots.window)
    this.#minuteBytes = bytesOf(slots.minute)
  }

  /** Writes the table's last rows into `slot`; throws a `ServiceError` that points to the element at fault. */
  read(table: Table, slot: number): ValidWindow {
    const { data } = table
    const indexName = this.#indexName(table)
    const times = data[indexName]
    if (!Array.isArray(times))
      throw new ServiceError('wrong_type', 'expected an array of times', jsonPointer('data', indexName))
    this.#checkLength(times.length, indexName)
    this.#checkColumns(data, indexName)
    const { features } = this.#manifest
    for (let feature = 0; feature < features.length; feature++) {
      this.#readColumn(data[features[feature]!.name], feature, times.length, slot)
    }
    return this.#readTimes(times, indexName, slot)
  }

  /** The table of a body of the commonest shape, unparsed; undefined for every other body. */
  scan(body: Buffer, maxSteps: number): ScannedTable | undefined {
    return this.#scanner.scan(body, maxSteps)
  }

  /** As `read`, for a table that this reader has scanned. */
  readScanned({ values, times, lastText }: ScannedTable, slot: number): ValidWindow {
    const rows = times.length
    const last = times[rows - 1]!
    const spacing = rows > 1 ? times[1]! - times[0]! : 0
    let isEven = true
    for (let row = 2; row < rows; row++) isEven &&= times[row]! - times[row - 1]! === spacing
    const { window } = this.#slots
    for (let from = 0, to = slot * values.length; from < values.length; from++) window[to++] = values[from]!
    const gap = isEven ? { ms: spacing, nanos: 0 } : undefined
    return this.#valid(slot, { ms: last, nanos: 0 }, gap, plainStyle(lastText))
  }

  /**
   * Writes the window at `index` of a tensor into `slot`; throws a `ServiceError` that names the row and the feature at fault. Without
   * minutes the window stands at no time.
   */
  readTensor({ values, minutes }: WindowTensor, index: number, slot: number): ValidWindow {
    const { window, features } = this.#manifest
    const width = features.length
    const size = window * width
    copyPart(values, index, this.#windowBytes, { to: slot, bytes: size * Float32Array.BYTES_PER_ELEMENT })
    const own = this.#slots.window
    for (let row = 0, at = slot * size; row < window; row++) {
      for (let feature = 0; feature < width; feature++, at++) {
        const value = own[at]!
        if (!(value >= this.#minimum[feature]! && value <= this.#maximum[feature]! && value < Infinity)) {
          const { name } = features[feature]!
          const { code, message } = this.#badValue(value, feature, row)
          throw new ServiceError(code, `row ${row}, ${name}: ${message}`)
        }
      }
    }
    if (minutes === undefined) return timeless(slot)
    copyPart(minutes, index, this.#minuteBytes, { to: slot, bytes: window * Int32Array.BYTES_PER_ELEMENT })
    return this.#atMinutes(slot)
  }

  /** The window in `slot`, whose minutes are there and are checked now. */
  #atMinutes(slot: number): ValidWindow {
    const { window } = this.#manifest
    const minutes = this.#slots.minute.subarray(slot * window, (slot + 1) * window)
    const gaps = minutes.subarray(1).map((minute, row) => minute - minutes[row]!)
    const back = gaps.findIndex(gap => gap <= 0)
    if (back !== -1) {
      const message = `row ${back + 1}: expected a minute later than that of the row before`
      throw new ServiceError('unordered_timestamps', message)
    }
    const isEven = gaps.every(gap => gap === gaps[0])
    if (isEven && gaps[0]! * MINUTE_MS > MAX_SPACING_MS) throw tooFarApart(undefined)
    const gap = isEven ? { ms: (gaps[0] ?? 0) * MINUTE_MS, nanos: 0 } : undefined
    return this.#valid(slot, { ms: minutes[window - 1]! * MINUTE_MS, nanos: 0 }, gap, plainStyle(EPOCH))
  }

  #indexName({ index_col: named, data }: Table): string {
    if (named !== undefined) {
      if (Object.hasOwn(data, named)) return named
      throw new ServiceError('missing_index', 'index_col names a column that data does not have', '/index_col')
    }
    const found = INDEX_NAMES.find(name => Object.hasOwn(data, name))
    if (found !== undefined) return found
    throw new ServiceError(
      'missing_index',
      `data has no column of times: name the column in index_col, or call it one of ${INDEX_NAMES.join(', ')}`,
      '/data'
    )
  }

  #checkLength(rows: number, indexName: string): void {
    const { window } = this.#manifest
    if (rows >= window && rows <= this.#maxRows) return
    const path = jsonPointer('data', indexName)
    if (rows < window) throw new ServiceError('too_few_rows', `expected at least ${window} rows, got ${rows}`, path)
    throw new ServiceError('too_many_rows', `expected at most ${this.#maxRows} rows, got ${rows}`, path)
  }

  /** Every feature and the index are there, each a column of its own, and nothing else is. */
  #checkColumns(data: Record<string, unknown>, indexName: string): void {
    const { features } = this.#manifest
    let found = 0
    for (const { name } of features) if (Object.hasOwn(data, name)) found++
    const index = this.#names.has(indexName) ? 0 : 1
    if (found === features.length && index === 1 && Object.keys(data).length === found + 1) return
    throw badColumns(features, data, indexName)
  }

  #readColumn(column: unknown, feature: number, rows: number, slot: number): void {
    const { features, window } = this.#manifest
    if (!Array.isArray(column)) {
      throw new ServiceError('wrong_type', 'expected an array of numbers', jsonPointer('data', features[feature]!.name))
    }
    if (column.length !== rows) {
      const message = `expected ${rows} values, one per time, got ${column.length}`
      throw new ServiceError('ragged_columns', message, jsonPointer('data', features[feature]!.name))
    }
    const target = this.#slots.window
    const width = features.length
    const minimum = this.#minimum[feature]!
    const maximum = this.#maximum[feature]!
    // Rows before the window are checked too, and overwritten by the next one: a bad table is never half accepted.
    let at = slot * window * width + feature
    const first = rows - window
    for (let row = 0; row < rows; row++) {
      const value: unknown = column[row]
      const single = typeof value === 'number' ? Math.fround(value) : NaN
      // Infinity is above every stated maximum but not above none; NaN compares with nothing.
      if (!(single >= minimum && single <= maximum && single < Infinity)) throw this.#badValue(value, feature, row)
      target[at] = single
      if (row >= first) at += width
    }
  }

  #badValue(value: unknown, feature: number, row: number): ServiceError {
    const { name, minimum, maximum, unit } = this.#manifest.features[feature]!
    const path = jsonPointer('data', name, row)
    if (typeof value !== 'number') return new ServiceError('not_a_number', `expected a number of ${unit}`, path)
    if (!Number.isFinite(Math.fround(value))) {
      return new ServiceError('non_finite', 'expected a number within the range of float32', path)
    }
    const range = maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`
    return new ServiceError('out_of_range', `expected a value ${range} (${unit})`, path)
  }

  #readTimes(times: readonly unknown[], indexName: string, slot: number): ValidWindow {
    const rows = times.length
    const { window } = this.#manifest
    const zoned = typeof times[0] === 'string' && hasZone(times[0])
    let previous = -Infinity
    let spacing = 0
    let even = true
    let plain = true
    for (let row = 0; row < rows; row++) {
      const time = laterTime(times, row, previous, zoned)
      if (Number.isNaN(time)) throw badTime(times, row, jsonPointer('data', indexName, row))
      plain &&= isPlain(times[row] as string)
      const inWindow = row - (rows - window)
      if (inWindow === 1) spacing = time - previous
      else if (inWindow > 1 && time - previous !== spacing) even = false
      if (inWindow >= 0 && this.#usesMinute) this.#slots.minute[slot * window + inWindow] = Math.floor(time / MINUTE_MS)
      previous = time
    }
    const written = times as readonly string[]
    if (even && spacing > MAX_SPACING_MS) throw tooFarApart(jsonPointer('data', indexName, rows - 1))
    const gap = even ? { ms: spacing, nanos: 0 } : undefined
    if (plain) return this.#valid(slot, { ms: previous, nanos: 0 }, gap, plainStyle(written[rows - 1]!))
    const style = styleOf(written, rows - window)
    const last = { ms: previous, nanos: nanosOf(written[rows - 1]!) }
    // What is finer than a ms is rare and takes another look, so that no other table waits for it.
    return this.#valid(slot, last, isFinerThanMs(style) ? evenGap(written, rows - window) : gap, style)
  }

  /** `gap` is undefined for uneven rows: then forecasts go on at the model's own frequency. */
  #valid(slot: number, last: Moment, gap: Moment | undefined, style: TimeStyle): ValidWindow {
    const frequency = this.#frequency
    const expected = this.#manifest.window === 1 || (gap?.ms === frequency.ms && gap.nanos === 0)
    const warnings = expected ? NO_WARNINGS : [this.#spacingWarning(gap)]
    const spacing = expected || !gap ? frequency : gap
    return vouchFor({ slot, last, spacing, style, warnings })
  }

  #spacingWarning(gap: Moment | undefined): string {
    const seconds = this.#manifest.frequency_seconds
    if (gap === undefined) {
      return `uneven_spacing: the window's rows are unevenly spaced; forecast times continue every ${seconds} s, as in the model's training`
    }
    const apart = gap.ms / 1000 + gap.nanos / 1e9
    return `other_spacing: the window's rows are ${apart} s apart; the model was trained on rows ${seconds} s apart`
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Copies the part at `from` to the place of the part at `to`, where each part has `bytes`. */
function copyPart(source: Uint8Array, from: number, target: Uint8Array, { to, bytes }: { to: number; bytes: number }) {
  target.set(source.subarray(from * bytes, (from + 1) * bytes), to * bytes)
}

/** When forecast `step` (from 1) is. */
export function momentOf({ last, spacing }: ValidWindow, step: number): Moment {
  const nanos = last.nanos + step * spacing.nanos
  const carry = Math.floor(nanos / NANOS_A_MS)
  return { ms: last.ms + step * spacing.ms + carry, nanos: nanos - carry * NANOS_A_MS }
}

/** The time of forecast `step` (from 1), written as the request's times were. */
export function forecastTime(window: ValidWindow, step: number): string {
  const { ms, nanos } = momentOf(window, step)
  return formatTime(ms, nanos, window.style)
}
