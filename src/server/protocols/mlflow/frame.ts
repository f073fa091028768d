import { ServiceError } from '../../../errors.js'
import { INDEX_NAMES } from '../../../model/inference/window.js'
import type { PredictBody } from '../../schemas/predict.js'
import { faultAt, type Fields, fieldsOf, listOf, type Place, refuseOthers } from '../fields.js'
import type { Origin } from '../moved.js'
import { type FrameBounds, refuseColumns, refuseRows } from './frame-bounds.js'

/** A frame of pandas: one table of one cell, whose last rows are the window. */
export interface Frame {
  readonly columns: ReadonlyMap<string, readonly unknown[]>
  /** the frame's index, a value a row, where it was sent */
  readonly index?: readonly unknown[] | undefined
  readonly origin: Origin
  /** where the index stands, or its value of a row */
  readonly indexAt: (row?: number) => Place
}

/** What times are called where only the index has them. */
const OF_INDEX = INDEX_NAMES[0]!
/** Numbers of a column of times that are ms since the epoch, as pandas' JSON has them: of the years 2001 to 2099. */
const EPOCH_MS = { least: 1e12, most: Date.UTC(2100, 0, 1) }

/** As `DataFrame.to_dict(orient="split")` and `to_json` of the same name write it. */
export function splitFrame(value: unknown, bounds: FrameBounds): Frame {
  const place = ['dataframe_split']
  const split = fieldsOf(value, place)
  refuseOthers(split, place, ['index', 'columns', 'data'])
  const names = columnNames(split, place, bounds)
  const rows = listOf(split.data, [...place, 'data'], 'an array of rows')
  refuseRows(rows.length, bounds, [...place, 'data'])
  const columns = new Map(names.map(name => [name, [] as unknown[]]))
  const lists = [...columns.values()]
  for (const [row, cells] of rows.entries()) {
    const values = listOf(cells, [...place, 'data', row], 'an array of values')
    if (values.length !== lists.length) {
      const message = `expected ${lists.length} values, one per column, got ${values.length}`
      throw faultAt([...place, 'data', row], 'ragged_columns', message)
    }
    for (const [at, list] of lists.entries()) list.push(values[at])
  }
  const places = new Map(names.map((name, at) => [name, at]))
  return {
    columns,
    index: indexOf(split, rows.length),
    origin: (column, row) => {
      const at = column === undefined ? undefined : places.get(column)
      if (at === undefined) return [...place, 'columns']
      return row === undefined ? [...place, 'columns', at] : [...place, 'data', row, at]
    },
    indexAt: row => (row === undefined ? [...place, 'index'] : [...place, 'index', row])
  }
}

function columnNames(split: Fields, place: Place, bounds: FrameBounds): string[] {
  if (split.columns === undefined) {
    throw faultAt(place, 'missing_field', 'columns is missing: the columns are told by their names')
  }
  const names = listOf(split.columns, [...place, 'columns'], 'an array of names')
  refuseColumns(names.length, bounds, [...place, 'columns'])
  for (const [at, name] of names.entries()) {
    if (typeof name !== 'string') throw faultAt([...place, 'columns', at], 'wrong_type', 'expected a name')
    if (names.indexOf(name) === at) continue
    throw faultAt([...place, 'columns', at], 'duplicate_key', 'the frame has two columns of this name')
  }
  return names as string[]
}

function indexOf({ index }: Fields, rows: number): readonly unknown[] | undefined {
  if (index === undefined || index === null) return undefined
  const place = ['dataframe_split', 'index']
  const values = listOf(index, place, 'an array')
  if (values.length === rows) return values
  throw faultAt(place, 'ragged_columns', `expected ${rows} values, one per row, got ${values.length}`)
}

/** As `DataFrame.to_dict(orient="records")` and `to_json` of the same name write it. What a record leaves out is missing in its row. */
export function recordsFrame(value: unknown, bounds: FrameBounds): Frame {
  const place = ['dataframe_records']
  const rows = listOf(value, place, 'an array of records')
  refuseRows(rows.length, bounds, place)
  const columns = new Map<string, unknown[]>()
  for (const [row, cells] of rows.entries()) {
    for (const [name, cell] of Object.entries(fieldsOf(cells, [...place, row]))) {
      let column = columns.get(name)
      if (column === undefined) {
        refuseColumns(columns.size + 1, bounds, [...place, row])
        columns.set(name, (column = new Array<unknown>(rows.length).fill(null)))
      }
      column[row] = cell
    }
  }
  return {
    columns,
    origin: (column, row) => (row === undefined ? place : [...place, row, column!]),
    indexAt: () => place
  }
}

/** A frame as the table of a forecast request. */
export interface FrameTable {
  readonly table: PredictBody
  /** of the column of times, in the table */
  readonly times: string
  readonly origin: Origin
}

/**
 * Finds the times of a frame: in the column that `named` says or that has one of the usual names, else in the index. Times that are
 * numbers become text, as the answer has them too.
 * @throws ServiceError where `named` says no column of the frame
 */
export function tableOf({ columns, index, origin, indexAt }: Frame, named: string | undefined): FrameTable {
  if (named !== undefined && !columns.has(named)) {
    throw faultAt(['params', 'index_col'], 'missing_index', 'index_col names a column that the frame does not have')
  }
  const times = named ?? INDEX_NAMES.find(name => columns.has(name))
  if (times !== undefined) {
    const data = Object.fromEntries(
      [...columns].map(([name, values]) => [name, name === times ? asTimes(values) : values])
    )
    return { table: { index_col: times, data }, times, origin } as FrameTable
  }
  if (index === undefined || !isTime(index[0])) {
    const usual = INDEX_NAMES.join(', ')
    const message = `the frame has no column of times: call it one of ${usual}, name it in params.index_col, or send times as the index`
    throw new ServiceError('missing_index', message)
  }
  const data = Object.fromEntries([...columns, [OF_INDEX, asTimes(index)]])
  const ofIndex: Origin = (column, row) => (column === OF_INDEX ? indexAt(row) : origin(column, row))
  return { table: { index_col: OF_INDEX, data }, times: OF_INDEX, origin: ofIndex } as FrameTable
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' || isEpochMs(value)
}

function isEpochMs(value: unknown): value is number {
  return typeof value === 'number' && value >= EPOCH_MS.least && value < EPOCH_MS.most
}

function asTimes(values: readonly unknown[]): unknown[] {
  return values.map(value => (isEpochMs(value) ? new Date(value).toISOString().replace(/(\.000)?Z$/, '') : value))
}
