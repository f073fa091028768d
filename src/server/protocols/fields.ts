import { ServiceError } from '../../errors.js'
import { jsonPointer } from '../../json-pointer.js'

/** A JSON object of a caller's: nothing about its values is trusted yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Where an element of a body is: the keys and indexes that lead to it. */
export type Place = readonly (string | number)[]

/** The error of an element, with its pointer; none for the body itself. */
export function faultAt(place: Place, code: ServiceError['code'], message: string): ServiceError {
  return new ServiceError(code, message, place.length === 0 ? undefined : jsonPointer(...place))
}

/** @throws ServiceError where the value is no JSON object */
export function fieldsOf(value: unknown, place: Place): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw faultAt(place, 'wrong_type', 'expected an object')
}

/** @throws ServiceError where the value is no array */
export function listOf(value: unknown, place: Place, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw faultAt(place, 'wrong_type', `expected ${what}`)
}

/** @throws ServiceError for the first field that is not one of `known` */
export function refuseOthers(fields: Fields, place: Place, known: readonly string[]): void {
  const other = Object.keys(fields).find(name => !known.includes(name))
  if (other === undefined) return
  throw faultAt([...place, other], 'unknown_field', `the only fields here are ${known.join(', ')}`)
}

/** A number of steps, from 1 to `most`. @throws ServiceError for anything else */
export function stepsOf(value: unknown, place: Place, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw faultAt(
    place,
    typeof value === 'number' ? 'out_of_range' : 'wrong_type',
    `expected a whole number from 1 to ${most}`
  )
}

/** The keys of a JSON pointer that the service has made. */
export function keysOf(pointer: string): string[] {
  const keys = pointer.split('/').slice(1)
  return keys.map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}
