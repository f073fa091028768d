import type { FastifyInstance } from 'fastify'
import type { Context } from './context.js'

/** `GET /metrics` in Prometheus' text format; listed in docs/metrics.md. */
export async function metricsRoute(app: FastifyInstance, { metrics }: Context): Promise<void> {
  const schema = { summary: 'Metrics in Prometheus text format', tags: ['operation'], produces: ['text/plain'] }
  app.get('/metrics', { schema }, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}
