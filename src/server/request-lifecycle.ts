import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../clock.js'
import type { Config } from '../settings/config.js'
import type { RouteStats } from '../metrics/metrics.js'
import { connectionOf } from './http/connection.js'
import { HUNG_UP } from './http/open-requests.js'
import type { Context } from './context.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** stops the work that goes on for this request; called when its caller has hung up */
    cancel: (() => void) | null
    /** monotonic ms at which its headers had been read */
    began: number
    stats: RouteStats | null
    /** the name that goes with the caller's key, where keys are asked for */
    caller: string | undefined
  }
}

function ended({ LOG_REQUESTS }: Config, request: FastifyRequest, status: number): void {
  const ms = monotonicMs() - request.began
  request.stats?.ended(status, ms / 1000)
  if (!LOG_REQUESTS) return
  const { method, id, routeOptions, caller } = request
  logRequest(request.log, { reqId: id, method, route: routeOptions.url ?? 'unmatched', status, ms, caller })
}

/** Stops the work for a caller who has gone, and counts the request. */
export function hungUp(config: Config): (request: FastifyRequest) => void {
  return request => {
    request.cancel?.()
    ended(config, request, HUNG_UP)
  }
}

/** Counts every request by its route, whatever its end. */
export function observeRequests(app: FastifyInstance, { config, metrics, drain }: Context): void {
  const unmatched = metrics.route('unmatched')
  app.decorateRequest('cancel', null)
  app.decorateRequest('began', 0)
  app.decorateRequest('stats', null)
  app.decorateRequest('caller', undefined)
  // Resolved once a route: asking the request for its route builds an object each time.
  app.addHook('onRoute', route => {
    const stats = metrics.route(route.url)
    const first = (request: FastifyRequest, _reply: unknown, done: () => void) => {
      request.stats = stats
      done()
    }
    route.onRequest = [first, ...[route.onRequest ?? []].flat()]
  })
  app.addHook('onRequest', (request, reply, done) => {
    request.began = monotonicMs()
    request.stats = unmatched
    connectionOf(request.raw.socket)?.requests.opened(request)
    void reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    const connection = connectionOf(request.raw.socket)
    if (connection === undefined) return done()
    const { statusCode } = reply
    if (drain.draining || statusCode >= 400) sayWhetherItEnds(connection.isNewest(request.raw), reply, drain)
    if (connection.requests.answered(request)) ended(config, request, statusCode)
    done()
  })
}

/** Only the answer to the request that was read last may end the connection: what was read after another would get none. */
function sayWhetherItEnds(newest: boolean, reply: FastifyReply, { draining }: Context['drain']): void {
  if (!newest) reply.removeHeader('connection')
  else if (draining) void reply.header('connection', 'close')
}

/** A request that has ended, as the log has it. */
interface RequestLine {
  reqId: string
  method: string
  route: string
  status: number
  ms: number
  /** left out of the log where it is not known */
  caller: string | undefined
}

/** One line a request; never a body, a header or a query string. */
export function logRequest(log: FastifyBaseLogger, line: RequestLine): void {
  log.info({ ...line, ms: Math.round(line.ms * 1000) / 1000 }, 'request')
}
