import type { RefusalReason } from '../../src/errors.js'

/** A pattern for tap: an error with this reason, and these words if given. tap's types want a whole Error. */
export function refusedAs(reason: RefusalReason, message?: RegExp): Error {
  return { reason, ...(message && { message }) } as unknown as Error
}
