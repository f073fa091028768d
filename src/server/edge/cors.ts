import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '../../metrics/metrics.js'
import { vary } from '../http/vary.js'

/** Headers of an answer that a page may read, beside those that every page may. */
const EXPOSED = 'x-request-id, server-timing, retry-after, inference-header-content-length'
const METHODS = 'GET, HEAD, POST'
/** Seconds for which a browser remembers what it may ask. */
const REMEMBERED = '600'
const ANY = '*'

/**
 * Lets pages of other origins ask the routes that are added to `scope`, their refusals too. `origins`: `*`, or exact ones with commas
 * between. Must come before what else guards the scope: a browser asks first without the page's headers (Fetch standard, CORS).
 */
export function allowOrigins(scope: FastifyInstance, origins: string, metrics: Pick<Metrics, 'route'>): void {
  const isAny = origins === ANY
  const allowed = new Set(origins.split(','))
  scope.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const { origin } = request.headers
    if (!isAny) vary(reply, 'origin')
    if (origin === undefined || !(isAny || allowed.has(origin))) return done()
    void reply.header('access-control-allow-origin', isAny ? ANY : origin)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      void reply.header('access-control-expose-headers', EXPOSED)
      return done()
    }
    // The route's own hook, which says so, comes later.
    request.stats = metrics.route(request.routeOptions.url!)
    preflight(request, reply)
  })
}

/** Answers what a browser asks before a page's request: what a page may send is what any other caller may. */
function preflight(request: FastifyRequest, reply: FastifyReply): void {
  const names = request.headers['access-control-request-headers']
  vary(reply, 'access-control-request-headers')
  if (names !== undefined) void reply.header('access-control-allow-headers', names)
  void reply.header('access-control-allow-methods', METHODS).header('access-control-max-age', REMEMBERED)
  void reply.code(204).send()
}
