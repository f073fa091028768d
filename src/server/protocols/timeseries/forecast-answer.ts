import { ServiceError } from '../../../errors.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import { forecastTime } from '../../../model/inference/window.js'
import { warningsOf } from '../../predict/answer.js'
import type { Outcome } from '../../predict/batch.js'
import { moved } from '../moved.js'
import { timeSeriesError } from './error-form.js'
import type { ForecastRequest } from './forecast-request.js'
import type { Series } from './series.js'

/** The answer to a call: an output a series, in their order. `created`: seconds since the epoch. */
export function forecastAnswer(
  { model, series }: ForecastRequest,
  outcomes: readonly Outcome[],
  { id, created }: { id: string; created: number }
) {
  const outputs = outcomes.map((outcome, index) => ({
    type: 'time_series_forecast',
    id: `${id}-${index}`,
    ...outputOf(series[index]!, outcome)
  }))
  const failed = outputs.filter(({ status }) => status === 'error').length
  const status = failed === 0 ? 'completed' : failed === outputs.length ? 'error' : 'partial'
  return { id, created_at: created, status, error: null, model, outputs }
}

function outputOf(series: Series | ServiceError, outcome: Outcome) {
  if (series instanceof ServiceError) return failure(series)
  return outcome instanceof ServiceError ? failure(moved(outcome, series.origin)) : success(series, outcome)
}

function failure(error: ServiceError) {
  return { status: 'error', content: [], ...timeSeriesError(error) }
}

function success({ name, frequency, ownSeconds }: Series, { order, values }: Forecast) {
  const { window, steps, pool } = order
  const width = pool.bundle.manifest.features.length
  const forecast = {
    type: 'multivariate_time_series',
    name,
    mean_forecast: Array.from({ length: steps }, (_, step) => values.slice(step * width, (step + 1) * width)),
    frequency,
    ...(ownSeconds !== undefined && { frequency_seconds: ownSeconds }),
    start_timestamp: forecastTime(window, 1),
    quantiles: null
  }
  const warnings = warningsOf(order)
  return { status: 'completed', content: [forecast], error: null, ...(warnings.length > 0 && { warnings }) }
}
