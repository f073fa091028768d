import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { ModelRefused, ServiceError } from '../../errors.js'
import type { Context } from '../context.js'
import { describeModel } from './model.js'
import { reloadSchema, rollbackSchema } from '../schemas/model.js'

/** `POST /admin/reload` and `/admin/rollback`, with a bearer token; without one configured there are no such routes. */
export async function adminRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { ADMIN_TOKEN } = context.config
  if (ADMIN_TOKEN === '') return
  const expected = digest(ADMIN_TOKEN)
  app.addHook('onRequest', (request, reply, done) => {
    const given = /^Bearer ([!-~]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    // Digests are of one length whatever was given, so neither the comparison's time nor its result tells the length.
    if (timingSafeEqual(digest(given), expected)) return done()
    void reply.header('www-authenticate', 'Bearer')
    done(new ServiceError('unauthorized', 'the bearer token is missing or wrong'))
  })
  // An order has nothing to say beyond its path: a body of any type is taken, and nobody looks at it.
  app.addContentTypeParser('*', (_request, body, done) => {
    body.resume()
    done(null)
  })
  const after = (change: () => Promise<void>) => async () => {
    await change().catch(explain)
    return describeModel(context)
  }
  app.post(
    '/admin/reload',
    { schema: reloadSchema },
    after(() => context.reconciler.reload().finally(() => void context.shadow?.trigger('admin')))
  )
  app.post(
    '/admin/rollback',
    { schema: rollbackSchema },
    after(() => context.reconciler.rollback())
  )
}

/** A refusal as the error that the operator reads; what may pass by itself is worth another try. */
function explain(error: unknown): never {
  if (!(error instanceof ModelRefused)) throw error
  const code = error.transient ? 'promotion_unavailable' : 'model_refused'
  throw new ServiceError(code, `${error.reason}: ${error.message}`, undefined, { cause: error })
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
