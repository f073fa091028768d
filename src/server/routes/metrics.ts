import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.js'

/** `GET /metrics` in Prometheus' text format; listed in docs/reference/metrics.md. */
export async function metricsRoute(app: FastifyInstance, { metrics }: Context): Promise<void> {
  const schema = {
    operationId: 'getMetrics',
    summary: 'Metrics in Prometheus text format',
    tags: ['operation'],
    response: { 200: { description: 'Metrics as text', content: { 'text/plain': { schema: { type: 'string' } } } } }
  }
  // Behind a balancer two scrapes may be of two processes, whose counters have nothing to do with each other.
  const replica = randomUUID()
  let scrape: Promise<Buffer> | undefined
  const text = async () => Buffer.from(await metrics.registry.metrics())
  app.get('/metrics', { schema }, async (_request, reply) => {
    // Who asks in the same turn gets the same bytes: a scrape costs milliseconds of the main thread, and they add up.
    scrape ??= text().finally(() => setImmediate(() => (scrape = undefined)))
    return reply
      .type(metrics.registry.contentType)
      .header('x-replica', replica)
      .send(await scrape)
  })
}
