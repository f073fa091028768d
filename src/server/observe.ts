import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../clock.js'
import type { Context } from './context.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** stops the work that goes on for this request; called when its caller has hung up */
    cancel: (() => void) | null
  }
}

/** nginx's status of a request whose caller hung up before the answer: no answer has it, only the metric. */
const HUNG_UP = '499'

/**
 * Watches every request to its real end. The `close` of the raw response is the only event that comes for a caller who
 * vanished after sending the whole body: neither `onResponse` nor `onRequestAbort` does.
 */
export function observeRequests(app: FastifyInstance, { config, metrics, drain }: Context): void {
  app.decorateRequest('cancel', null)
  app.addHook('onRequest', (request, reply, done) => {
    const began = monotonicMs()
    void reply.header('x-request-id', request.id)
    if (drain.draining) void reply.header('connection', 'close')
    reply.raw.on('close', () => {
      const answered = reply.raw.writableFinished
      if (!answered) request.cancel?.()
      const took = monotonicMs() - began
      const status = answered ? String(reply.statusCode) : HUNG_UP
      metrics.request(request.routeOptions.url ?? 'unmatched', status, took / 1000)
      if (config.LOG_REQUESTS) logRequest(request, reply, status, took)
    })
    done()
  })
}

/** One line a request; never a body, a header or a query string. */
function logRequest(request: FastifyRequest, reply: FastifyReply, status: string, took: number): void {
  const route = request.routeOptions.url ?? 'unmatched'
  const ms = Math.round(took * 1000) / 1000
  reply.log.info({ method: request.method, route, status: Number(status), ms }, 'request')
}
