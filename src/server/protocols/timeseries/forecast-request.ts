import { ServiceError } from '../../../errors.js'
import type { Manifest } from '../../../model/bundle/manifest.js'
import type { Item } from '../../predict/batch.js'
import { faultAt, fieldsOf, listOf, stepsOf } from '../fields.js'
import { type Series, seriesOf } from './series.js'

/** A call for forecasts of several series, read: each series as a window, or why it cannot be one. */
export interface ForecastRequest {
  readonly model: string
  readonly series: readonly (Series | ServiceError)[]
  readonly items: readonly Item[]
}

export interface ForecastLimits {
  mostSteps: number
  mostSeries: number
}

/**
 * Reads the body of a call. Fields that nobody knows are let through: the standard allows them everywhere.
 * @throws ServiceError where the call as a whole cannot be answered
 */
export function forecastRequest(body: unknown, manifest: Manifest, limits: ForecastLimits): ForecastRequest {
  const { model, inputs, options } = fieldsOf(body, [])
  if (model !== manifest.name) throw otherModel(model, manifest.name)
  if (options === undefined) throw faultAt(['options'], 'missing_field', 'expected an object with the horizon')
  const { horizon, quantiles } = fieldsOf(options, ['options'])
  const steps = stepsOf(horizon, ['options', 'horizon'], limits.mostSteps)
  if (Array.isArray(quantiles) ? quantiles.length > 0 : quantiles !== undefined && quantiles !== null) {
    throw faultAt(['options', 'quantiles'], 'unknown_field', 'the model gives the mean only: leave quantiles out')
  }
  const list = listOf(inputs, ['inputs'], 'an array of time series')
  if (list.length === 0) throw faultAt(['inputs'], 'out_of_range', 'expected a time series')
  if (list.length > limits.mostSeries) {
    throw faultAt(['inputs'], 'out_of_range', `expected at most ${limits.mostSeries} time series`)
  }
  const series = list.map((input, index) => {
    try {
      return seriesOf(input, ['inputs', index], manifest)
    } catch (error) {
      return error as ServiceError
    }
  })
  const items = series.map(one => (one instanceof ServiceError ? one : { table: one.table, steps }))
  return { model: manifest.name, series, items }
}

function otherModel(model: unknown, name: string): ServiceError {
  if (typeof model === 'string') return faultAt(['model'], 'not_found', `the model that serves is ${name}`)
  return faultAt(['model'], model === undefined ? 'missing_field' : 'wrong_type', 'expected the name of the model')
}
