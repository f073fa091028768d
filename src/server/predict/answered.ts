import { monotonicMs } from '../../clock.js'
import type { Forecast } from '../../model/inference/forecast.js'
import type { ModelStatistics } from '../../model/inference/statistics.js'
import type { Context } from '../context.js'

type Told = Pick<Context, 'metrics' | 'shadow'>

/** A request with one window has got its forecast: that is counted, and the shadow may see it. `began`: monotonic ms. */
export function forecastAnswered(context: Told, forecast: Forecast, began: number): void {
  const { queueMs, inferMs } = forecast
  forecast.order.pool.statistics.forecasted({ tookMs: monotonicMs() - began, queueMs, inferMs })
  told(context, forecast)
}

/** As `forecastAnswered`, of a request with many windows; each of them has a forecast. */
export function forecastsAnswered(context: Told, forecasts: readonly Forecast[], began: number): void {
  const longest = (of: 'queueMs' | 'inferMs') => forecasts.reduce((most, forecast) => Math.max(most, forecast[of]), 0)
  const times = { tookMs: monotonicMs() - began, queueMs: longest('queueMs'), inferMs: longest('inferMs') }
  forecasts[0]?.order.pool.statistics.forecasted(times)
  for (const forecast of forecasts) told(context, forecast)
}

/** A request that had been taken on has failed. */
export function forecastFailed(statistics: ModelStatistics, began: number): void {
  statistics.failed(monotonicMs() - began)
}

function told({ metrics, shadow }: Told, forecast: Forecast): void {
  metrics.queueWait(forecast.queueMs / 1000)
  shadow?.answered(forecast)
}
