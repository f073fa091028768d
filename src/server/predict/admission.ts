import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.js'
import type { Pool } from '../../model/inference/pool.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import type { Context } from '../context.js'

/**
 * Refuses a forecast request before its body is read: while full, or without a model. A request
 * that passes takes its slot only when its body is there, so that a slow sender holds none.
 */
export function admission(context: Context) {
  return (_request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      const refusal = servingModel(context).pool.refusal(1, context.config.DEADLINE_MS)
      done(refusal && refuse(context, refusal))
    } catch (error) {
      done(error as ServiceError)
    }
  }
}

const STEPS_FIELD = '"inference_length"'
/** Bytes in which the value is looked for. */
const STEPS_BYTES = 32
const STEPS_VALUE = /^\s*:\s*(\d{1,4})\s*[,}]/

/**
 * Why a forecast is refused before its body is parsed, of several steps too: under overload most requests are refused, and parsing
 * would be most of what a refusal costs. A valid body has the field's name once, written like this or with escapes; what is not found
 * here is left to `admit`.
 */
export function refusalUnparsed(context: Context, { pool }: ServingModel, body: Buffer): ServiceError | undefined {
  const { DEADLINE_MS, MAX_STEPS } = context.config
  let refusal = pool.refusal(1, DEADLINE_MS)
  if (!refusal && !pool.backlog.endsInTime(MAX_STEPS, DEADLINE_MS)) {
    const steps = stepsWritten(body)
    if (steps > 1 && steps <= MAX_STEPS) refusal = pool.refusal(steps, DEADLINE_MS)
  }
  return refusal && refuse(context, refusal)
}

/** The steps that a body asks for by its bytes alone; 1 where they do not say. */
export function stepsWritten(body: Buffer): number {
  const at = body.lastIndexOf(STEPS_FIELD)
  if (at === -1) return 1
  const from = at + STEPS_FIELD.length
  return Number(STEPS_VALUE.exec(body.toString('latin1', from, from + STEPS_BYTES))?.[1] ?? 1)
}

/** Takes a slot in a model's pool for so many steps, or throws the refusal that the caller is answered with. */
export function admit(context: Context, pool: Pool, steps: number): number {
  try {
    return pool.acquire(steps, context.config.DEADLINE_MS)
  } catch (error) {
    throw refuse(context, error as ServiceError)
  }
}

/** The model that serves now, or throws the refusal. */
export function servingModel(context: Context): ServingModel {
  if (context.active.serving) return context.active.serving
  throw refuse(context, new ServiceError('model_not_ready', 'no model is loaded'))
}

export function refuse({ metrics }: Context, error: ServiceError): ServiceError {
  if (error.code === 'queue_full' || error.code === 'model_not_ready') metrics.refused(error.code)
  return error
}
