import type { FastifyInstance } from 'fastify'
import type { Context } from './context.js'

/** `GET /metrics` in Prometheus' text format; listed in docs/metrics.md. */
export async function metricsRoute(app: FastifyInstance, { metrics }: Context): Promise<void> {
  const schema = { summary: 'Metrics in Prometheus text format', tags: ['operation'], produces: ['text/plain'] }
  let scrape: Promise<string> | undefined
  app.get('/metrics', { schema }, async (_request, reply) => {
    // Who asks during a scrape gets its text: one costs milliseconds of the main thread, and pipelined ones add up.
    scrape ??= metrics.registry.metrics().finally(() => (scrape = undefined))
    return reply.type(metrics.registry.contentType).send(await scrape)
  })
}
