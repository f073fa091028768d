import type { FastifyBaseLogger } from 'fastify'
import type { ErrorCode, ServiceError } from '../errors.js'

/** A pointer holds the caller's own keys; a longer one is not shown. */
const MAX_PATH = 256

/** The body of an error answer. */
export function errorBody({ code, message, path, retryable }: ServiceError) {
  const shown = path !== undefined && path.length <= MAX_PATH
  return { error: { code, message, ...(shown && { path }), retryable } }
}

/** Seconds after which a refused caller may come back: the queue turns over many times in one. */
export const RETRY_AFTER = '1'
const RETRIED_LATER: ReadonlySet<ErrorCode> = new Set(['queue_full', 'model_not_ready'])

/** Whether the answer says when to come back. */
export function isRetriedLater({ code }: ServiceError): boolean {
  return RETRIED_LATER.has(code)
}

/** The cause of a failure that is ours goes to the log, under the request's id. */
export function logIfInternal(log: Pick<FastifyBaseLogger, 'error'>, reqId: string, failure: ServiceError): void {
  if (failure.statusCode === 500) log.error({ reqId, err: failure.cause ?? failure }, failure.message)
}
