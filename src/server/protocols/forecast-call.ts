import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.js'
import type { Forecast } from '../../model/inference/forecast.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import type { Context } from '../context.js'
import { refuse } from '../predict/admission.js'
import { forecastFailed, forecastsAnswered } from '../predict/answered.js'
import { Batch, type BatchOrder, type Item, type Outcome } from '../predict/batch.js'

/** The windows of a call, as a protocol has translated them. */
export interface Call {
  context: Context
  request: FastifyRequest
  model: ServingModel
  items: readonly Item[]
  /** monotonic ms since when the call was looked at; its deadline counts from there */
  began: number
}

/** How a call is answered that has one error only. */
export interface WholeAnswer {
  refuseAll: NonNullable<BatchOrder['refuseAll']>
  /** one forecast a window, in their order */
  forecasted(forecasts: readonly Forecast[]): void
  failed(error: ServiceError): void
}

/**
 * Forecasts the windows of a call, each with an outcome of its own. A caller who hangs up frees all.
 * @throws ServiceError where the call is not taken on
 */
export function forecastEach(call: Call, ended: (outcomes: readonly Outcome[]) => void): void {
  begin(call, undefined, outcomes => {
    ended(outcomes)
    const forecasts = outcomes.filter((outcome): outcome is Forecast => !(outcome instanceof ServiceError))
    forecastsAnswered(call.context, forecasts, call.began)
  })
}

/**
 * As `forecastEach`, whole or not at all.
 * @throws ServiceError where the call is not taken on, also for a bad window
 */
export function forecastWhole(call: Call, { refuseAll, forecasted, failed }: WholeAnswer): void {
  const { context, model, began } = call
  begin(call, refuseAll, outcomes => {
    const failure = outcomes.find(outcome => outcome instanceof ServiceError)
    if (failure) {
      failed(failure)
      return forecastFailed(model.pool.statistics, began)
    }
    const forecasts = outcomes as readonly Forecast[]
    forecasted(forecasts)
    forecastsAnswered(context, forecasts, began)
  })
}

function begin(call: Call, refuseAll: BatchOrder['refuseAll'], ended: (outcomes: readonly Outcome[]) => void): void {
  const { context, request, model, items, began } = call
  const { DEADLINE_MS } = context.config
  const order = { model, items, deadline: began + DEADLINE_MS, patienceMs: DEADLINE_MS }
  try {
    const batch = new Batch(refuseAll ? { ...order, refuseAll } : order, ended)
    request.cancel = () => batch.cancel()
  } catch (error) {
    forecastFailed(model.pool.statistics, began)
    throw refuse(context, error as ServiceError)
  }
}
