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
  model: ServingModel
  items: readonly Item[]
  /** monotonic ms since when the call was looked at; its deadline counts from there */
  began: number
  /** ms that the caller gives the call, where they are fewer than the service gives */
  timeoutMs?: number | undefined
  /** a call with one window lets others go first */
  isLater?: boolean
}

/** How a call is answered that has one error only. */
export interface WholeAnswer {
  refuseAll: NonNullable<BatchOrder['refuseAll']>
  /** one forecast a window, in their order */
  forecasted(forecasts: readonly Forecast[]): void
  failed(error: ServiceError): void
}

/**
 * Forecasts the windows of a call, each with an outcome of its own. What is returned is to be cancelled when the caller has gone.
 * @throws ServiceError where the call is not taken on
 */
export function forecastEach(call: Call, ended: (outcomes: readonly Outcome[]) => void): Batch {
  return begin(call, undefined, outcomes => {
    ended(outcomes)
    const forecasts = outcomes.filter((outcome): outcome is Forecast => !(outcome instanceof ServiceError))
    forecastsAnswered(call.context, forecasts, call.began)
  })
}

/**
 * As `forecastEach`, whole or not at all.
 * @throws ServiceError where the call is not taken on, also for a bad window
 */
export function forecastWhole(call: Call, { refuseAll, forecasted, failed }: WholeAnswer): Batch {
  const { context, model, began } = call
  return begin(call, refuseAll, outcomes => {
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

function begin(call: Call, refuseAll: BatchOrder['refuseAll'], ended: (outcomes: readonly Outcome[]) => void): Batch {
  const { context, model, items, began, timeoutMs = Infinity, isLater = false } = call
  const patienceMs = Math.min(context.config.DEADLINE_MS, timeoutMs)
  const order = { model, items, deadline: began + patienceMs, patienceMs, isLater }
  try {
    return new Batch(refuseAll ? { ...order, refuseAll } : order, ended)
  } catch (error) {
    forecastFailed(model.pool.statistics, began)
    throw refuse(context, error as ServiceError)
  }
}
