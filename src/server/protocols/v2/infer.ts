import { ServiceError } from '../../../errors.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import type { ServingModel } from '../../../model/promotion/active-model.js'
import type { Context } from '../../context.js'
import type { Batch, Item, WindowFault } from '../../predict/batch.js'
import { forecastWhole } from '../forecast-call.js'
import type { InferRequest } from './infer-request.js'

/** Who asked. Exactly one of the two is called, once, unless the request is cancelled. */
export interface InferListener {
  /** one forecast a window, in their order */
  forecasted(forecasts: readonly Forecast[]): void
  failed(error: ServiceError): void
}

export interface InferOrder {
  context: Context
  model: ServingModel
  request: InferRequest
  /** monotonic ms at which the request was there */
  began: number
}

/**
 * Forecasts the windows of a request, whole or not at all: the protocol has no error for a single window.
 * @throws ServiceError where the request is refused, also for its values: then every bad window is named
 */
export function infer({ context, model, request, began }: InferOrder, listener: InferListener): Batch {
  const { windows, steps, timeoutMs, isLater } = request
  const { tensor, count } = windows
  const items = Array.from({ length: count }, (_, index): Item => ({ tensor, index, steps }))
  const answer = {
    refuseAll: badWindows,
    forecasted: (forecasts: readonly Forecast[]) => listener.forecasted(forecasts),
    failed: (error: ServiceError) => listener.failed(error)
  }
  return forecastWhole({ context, model, items, began, timeoutMs, isLater }, answer)
}

/** Bad windows whose fault is told in words; the others are named. */
const MAX_TOLD = 4

function badWindows(faults: readonly WindowFault[]): ServiceError {
  const told = faults.slice(0, MAX_TOLD).map(({ index, error }) => `window ${index}, ${error.message}`)
  const others = faults.slice(MAX_TOLD).map(({ index }) => index)
  const text = others.length > 0 ? [...told, `also bad are the windows ${others.join(', ')}`] : told
  return new ServiceError(faults[0]!.error.code, text.join('; '))
}
