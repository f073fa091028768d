import type { FastifyBaseLogger } from 'fastify'
import { monotonicMs } from '../../clock.js'
import type { ServiceError } from '../../errors.js'
import type { Context } from '../context.js'
import { isRetriedLater, logIfInternal, RETRY_AFTER } from '../error-body.js'
import { JSON_TYPE } from '../http/answer-text.js'
import type { Exchange, FastRoute } from '../http/fast-path.js'
import { logRequest } from '../request-lifecycle.js'

type Told = Pick<Context, 'config' | 'metrics'>

/** Counts the requests of a route on the fast path, and logs them where that is asked for. */
export function endsOf(route: string, { config, metrics }: Told, logger: FastifyBaseLogger): FastRoute['ended'] {
  const stats = metrics.route(route)
  return ({ id, began, caller }, status) => {
    const ms = monotonicMs() - began
    stats.ended(status, ms / 1000)
    if (config.LOG_REQUESTS) logRequest(logger, { reqId: id, method: 'POST', route, status, ms, caller })
  }
}

/** Answers with an error, in the `form` of the route's protocol. */
export function answerError(
  logger: FastifyBaseLogger,
  exchange: Exchange,
  error: ServiceError,
  form: (error: ServiceError) => object
): void {
  logIfInternal(logger, exchange.id, error)
  const headers = isRetriedLater(error) ? `retry-after: ${RETRY_AFTER}\r\n${JSON_TYPE}` : JSON_TYPE
  exchange.answer(error.statusCode, headers, JSON.stringify(form(error)))
}
