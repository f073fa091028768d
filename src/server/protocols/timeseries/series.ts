import type { Manifest } from '../../../model/bundle/manifest.js'
import { INDEX_NAMES } from '../../../model/inference/window.js'
import { formatTime, styleOf } from '../../../model/inference/time-style.js'
import { nanosOf, parseTime } from '../../../model/inference/timestamps.js'
import type { PredictBody } from '../../schemas/predict.js'
import { faultAt, type Fields, fieldsOf, listOf, type Place } from '../fields.js'
import type { Origin } from '../moved.js'
import { secondsOf } from './frequency.js'

const TYPES = { one: 'univariate_time_series', many: 'multivariate_time_series' }

/** A series of a call, read. */
export interface Series {
  readonly name: string
  /** as the caller named it, and the seconds that were said beside it */
  readonly frequency: string
  readonly ownSeconds: number | undefined
  readonly table: PredictBody
  /** where the caller wrote what stands in the table */
  readonly origin: Origin
}

type Features = Pick<Manifest, 'features'>

/**
 * Reads a series as a table, whose times go on from its start.
 * @throws ServiceError that points to the element at fault
 */
export function seriesOf(value: unknown, place: Place, { features }: Features): Series {
  const fields = fieldsOf(value, place)
  const { name, frequency, frequency_seconds: ownSeconds } = fields
  if (typeof name !== 'string') throw missingOr(name, [...place, 'name'], 'expected a name')
  const order = features.map(feature => feature.name)
  refuseOtherTypes(fields.type, [...place, 'type'], order)
  const seconds = secondsOf(fields, place)
  const rows = rowsOf(fields.series, [...place, 'series'], order)
  const times = timesOf(fields, place, { seconds, rows: rows.length })
  // A feature may have the usual name of the times.
  const index = INDEX_NAMES.find(one => !order.includes(one))!
  const data = Object.fromEntries([[index, times], ...order.map((one, at) => [one, rows.map(row => row[at])] as const)])
  const origin: Origin = (column, row) => {
    if (row === undefined || column === undefined) return [...place, 'series']
    return column === index ? [...place, 'start_timestamp'] : [...place, 'series', row, order.indexOf(column)]
  }
  const table = { index_col: index, data } as PredictBody
  return { name, frequency: frequency as string, ownSeconds: ownSeconds as number | undefined, table, origin }
}

function missingOr(value: unknown, place: Place, message: string) {
  return faultAt(place, value === undefined ? 'missing_field' : 'wrong_type', message)
}

function refuseOtherTypes(type: unknown, place: Place, order: readonly string[]): void {
  if (type === TYPES.many) return
  const rows = `rows with ${order.join(', ')}`
  if (type === TYPES.one) {
    throw faultAt(place, 'out_of_range', `the model forecasts from all of its features: send a ${TYPES.many}, ${rows}`)
  }
  throw missingOr(type, place, `expected ${TYPES.many}, ${rows}`)
}

function rowsOf(series: unknown, place: Place, order: readonly string[]): readonly (readonly unknown[])[] {
  const rows = listOf(series, place, 'an array of rows')
  return rows.map((row, at) => {
    const values = listOf(row, [...place, at], `an array of ${order.length} numbers`)
    if (values.length === order.length) return values
    const message = `expected ${order.length} values (${order.join(', ')}), got ${values.length}`
    throw faultAt([...place, at], 'ragged_columns', message)
  })
}

/** The time of each row, written as the start is. */
function timesOf(
  { start_timestamp: start }: Fields,
  place: Place,
  { seconds, rows }: { seconds: number; rows: number }
): string[] {
  const at = [...place, 'start_timestamp']
  if (typeof start !== 'string')
    throw missingOr(start, at, 'expected the time of the first row: the answer goes on from it')
  const first = parseTime(start)
  if (Number.isNaN(first)) {
    throw faultAt(
      at,
      'bad_timestamp',
      'expected an ISO 8601 date and time such as 2018-02-28T05:54:00Z, from 1970 to 2099'
    )
  }
  const style = styleOf([start], 0)
  const nanos = nanosOf(start)
  return Array.from({ length: rows }, (_, row) => formatTime(first + row * seconds * 1000, nanos, style))
}
