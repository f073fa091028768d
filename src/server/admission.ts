import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../errors.js'
import type { ServingModel } from '../model/promotion/active-model.js'
import type { Context } from './context.js'

/** Seconds after which a refused caller may come back: the queue turns over many times in one. */
const RETRY_AFTER = '1'

/**
 * Refuses a forecast request before its body is read: while full, without a model, or with a compressed body. A request
 * that passes takes its place only when its body is there, so that a slow sender holds none.
 */
export function admission(context: Context) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      context.metrics.refused('unsupported_media_type')
      return done(
        new ServiceError('unsupported_media_type', 'content-encoding is not supported: send the body as it is')
      )
    }
    try {
      const refusal = servingModel(context).pool.refusal(1, context.config.DEADLINE_MS)
      done(refusal && refuse(context, reply, refusal))
    } catch (error) {
      done(refuse(context, reply, error as ServiceError))
    }
  }
}

/** Takes a place in the serving model's pool for so many steps, or throws the refusal that the caller is answered with. */
export function admit(context: Context, reply: FastifyReply, steps: number): { model: ServingModel; slot: number } {
  try {
    const model = servingModel(context)
    return { model, slot: model.pool.acquire(steps, context.config.DEADLINE_MS) }
  } catch (error) {
    throw refuse(context, reply, error as ServiceError)
  }
}

function servingModel({ active }: Context): ServingModel {
  if (!active.serving) throw new ServiceError('model_not_ready', 'no model is loaded')
  return active.serving
}

function refuse({ metrics }: Context, reply: FastifyReply, error: ServiceError): ServiceError {
  if (error.code === 'queue_full' || error.code === 'model_not_ready') {
    metrics.refused(error.code)
    void reply.header('retry-after', RETRY_AFTER)
  }
  return error
}
