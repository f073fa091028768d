import type { FastifyInstance } from 'fastify'
import { ServiceError } from '../errors.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/**
 * Answers a path that is there, asked with a method that it does not have: 405, with what it has in `Allow` (RFC 9110 15.5.6). Each
 * route gets a second one for the other methods, in its own scope: who may not know that a path is there is answered 404 as ever.
 * Must come before the routes.
 */
export function refuseOtherMethods(app: FastifyInstance): void {
  const seen = new Set<string>()
  app.addHook('onRoute', function ({ url, routePath, method }) {
    if (seen.has(url)) return
    seen.add(url)
    const own = [method].flat()
    // Fastify adds a HEAD to each GET.
    const allowed = own.includes('GET') ? [...own, 'HEAD'] : own
    const allow = allowed.join(', ')
    this.route({
      // The scope adds its prefix, and would take a slash at the end for both ways of writing it.
      url: routePath,
      prefixTrailingSlash: 'slash',
      method: METHODS.filter(other => !allowed.includes(other)),
      schema: { hide: true },
      onRequest: (_request, reply, done) => {
        void reply.header('allow', allow)
        done(new ServiceError('method_not_allowed', `this path takes ${allow} only`))
      },
      handler: () => undefined
    })
  })
}
