import { faultAt, type Place } from '../fields.js'

/** What a frame may have at the most, so that a small body makes no large table. */
export interface FrameBounds {
  readonly rows: number
  readonly columns: number
}

/** Columns beyond those that a model has and the times: which one is not known is told by its name. */
const SURPLUS = 16

export function boundsOf(features: number, rows: number): FrameBounds {
  return { rows, columns: features + 1 + SURPLUS }
}

/** @throws ServiceError for more columns than any frame of the model may have */
export function refuseColumns(count: number, { columns }: FrameBounds, place: Place): void {
  if (count <= columns) return
  const message = `expected the columns of the model and the times, ${columns - SURPLUS} in all`
  throw faultAt(place, 'unknown_column', message)
}

/** @throws ServiceError for more rows than a table may have */
export function refuseRows(count: number, { rows }: FrameBounds, place: Place): void {
  if (count > rows) throw faultAt(place, 'too_many_rows', `expected at most ${rows} rows, got ${count}`)
}
