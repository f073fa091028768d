import type { ServiceError } from '../../../errors.js'

/** An error as KServe's time series protocol tells it: `code` is the status as text, `type` our code, `param` the pointer. */
export function timeSeriesError({ code, message, path, statusCode }: ServiceError) {
  return { error: { code: String(statusCode), message, param: path ?? null, type: code } }
}
