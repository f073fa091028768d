import type { ServiceError } from '../../errors.js'
import { faultAt, keysOf, type Place } from './fields.js'

/** Where the caller wrote what stands in a table as a whole, in its column of this name, or in a row of that. */
export type Origin = (column?: string, row?: number) => Place

/** The same error of a table, told of the element that the caller wrote. */
export function moved(error: ServiceError, origin: Origin): ServiceError {
  if (error.path === undefined) return error
  const [, column, row] = keysOf(error.path)
  return faultAt(origin(column, row === undefined ? undefined : Number(row)), error.code, error.message)
}
