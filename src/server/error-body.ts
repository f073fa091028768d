import type { ServiceError } from '../errors.js'

/** A pointer holds the caller's own keys; a longer one is not shown. */
const MAX_PATH = 256

/** The body of an error answer. */
export function errorBody({ code, message, path, retryable }: ServiceError) {
  const shown = path !== undefined && path.length <= MAX_PATH
  return { error: { code, message, ...(shown && { path }), retryable } }
}
