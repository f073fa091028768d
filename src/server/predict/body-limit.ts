import type { Manifest } from '../../model/bundle/manifest.js'
import type { Config } from '../../settings/config.js'

/** Characters of a number with what parts it from the next: JavaScript writes 0.0000012345678901234567, Python a space more. */
const NUMBER = 26
/** The same of a time with nine digits of a second and an offset. */
const TIME = 39
/** What stands around a column's name. */
const AROUND_NAME = 8
/** The fields of a request, and the name of the times. */
const FIELDS = 1024

/** Bytes of the largest table of a model, as JSON writers write it that know 17 digits; a caller may still add spaces. */
export function largestTable({ features }: Pick<Manifest, 'features'>, rows: number): number {
  const names = features.reduce((sum, { name }) => sum + name.length + AROUND_NAME, 0)
  return rows * (features.length * NUMBER + TIME) + names + FIELDS
}

/** Bytes that each window of a call with many may take; one of ten rows has about 2,200. */
export const WINDOW_BYTES = 4096

/** Bytes of the largest body of a call with many windows. */
export function mostBytes({ BODY_LIMIT_BYTES, MAX_WINDOWS }: Pick<Config, 'BODY_LIMIT_BYTES' | 'MAX_WINDOWS'>): number {
  return Math.max(BODY_LIMIT_BYTES, MAX_WINDOWS * WINDOW_BYTES)
}
