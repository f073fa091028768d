import type { FastifyInstance, FastifyRequest } from 'fastify'
import { monotonicMs } from '../clock.js'
import type { RouteStats } from '../metrics.js'
import { Connections } from './connections.js'
import type { Context } from './context.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** stops the work that goes on for this request; called when its caller has hung up */
    cancel: (() => void) | null
    /** monotonic ms at which its headers had been read */
    began: number
    stats: RouteStats | null
  }
}

/** nginx's status of a request whose caller hung up before the answer: no answer has it, only the metric. */
const HUNG_UP = 499

/** Counts every request by its route, whatever its end, and stops the work for callers who have gone. */
export function observeRequests(app: FastifyInstance, { config, metrics, drain }: Context): void {
  const unmatched = metrics.route('unmatched')
  const ended = (request: FastifyRequest, status: number) => {
    const ms = monotonicMs() - request.began
    request.stats?.ended(status, ms / 1000)
    if (config.LOG_REQUESTS) logRequest(request, status, ms)
  }
  const connections = new Connections(request => {
    request.cancel?.()
    ended(request, HUNG_UP)
  }, config.SOCKET_TIMEOUT_MS)
  connections.watch(app.server)

  app.decorateRequest('cancel', null)
  app.decorateRequest('began', 0)
  app.decorateRequest('stats', null)
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
    connections.began(request)
    void reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (drain.draining) void reply.header('connection', 'close')
    if (connections.answered(request)) ended(request, reply.statusCode)
    done()
  })
}

/** One line a request; never a body, a header or a query string. */
function logRequest(request: FastifyRequest, status: number, took: number): void {
  const { method, id, routeOptions } = request
  const ms = Math.round(took * 1000) / 1000
  request.log.info({ reqId: id, method, route: routeOptions.url ?? 'unmatched', status, ms }, 'request')
}
