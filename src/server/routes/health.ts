import type { FastifyInstance } from 'fastify'
import { type Context, isReady } from '../context.js'
import { named } from '../schemas/shared.js'

const Health = named('Health', {
  status: { type: 'string', enum: ['live', 'ready', 'not_ready'] },
  model_ready: { type: 'boolean' }
})

/** `GET /healthz`: can answer at all. `GET /readyz`, `/ready`: should get traffic. */
export async function healthRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const live = {
    operationId: 'live',
    summary: 'Live: the process answers',
    tags: ['health'],
    response: { 200: Health }
  }
  app.get('/healthz', { schema: live }, () => ({ status: 'live', model_ready: context.active.ready }))

  const ready = {
    summary: 'Ready: a model is loaded and the process is not stopping',
    tags: ['health'],
    response: { 200: Health, 503: Health }
  }
  for (const path of ['/readyz', '/ready']) {
    app.get(path, { schema: { operationId: path.slice(1), ...ready } }, (_request, reply) => {
      const ok = isReady(context)
      return reply.code(ok ? 200 : 503).send({ status: ok ? 'ready' : 'not_ready', model_ready: context.active.ready })
    })
  }
}
