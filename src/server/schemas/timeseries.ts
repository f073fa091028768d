import { type Example, rowsOf } from './example.js'
import { NoQuery, nullable } from './shared.js'

const Frequency = {
  type: 'string',
  enum: ['second', 'S', 'minute', 'T', 'hour', 'H', 'day', 'D', 'week', 'W']
} as const
const Rows = { type: 'array', items: { type: 'array', items: { type: 'number' } } } as const
const seconds = {
  type: 'integer',
  minimum: 1,
  description: 'Seconds between two rows, a multiple of the frequency: 120 for two minutes. Not of the standard.'
} as const

const TimeSeriesError = {
  title: 'TimeSeriesError',
  type: 'object',
  required: ['code', 'message', 'param', 'type'],
  properties: {
    code: { type: 'string', description: 'HTTP status, as text.' },
    message: { type: 'string' },
    param: { ...nullable({ type: 'string' }), description: 'JSON pointer to the element at fault.' },
    type: { type: 'string', description: 'Code of this service.' }
  }
} as const

const ErrorAnswer = {
  title: 'TimeSeriesErrorAnswer',
  type: 'object',
  required: ['error'],
  properties: { error: TimeSeriesError }
} as const

const Input = {
  title: 'TimeSeriesInput',
  type: 'object',
  required: ['type', 'name', 'series', 'frequency', 'start_timestamp'],
  properties: {
    type: { type: 'string', const: 'multivariate_time_series' },
    name: { type: 'string' },
    series: { ...Rows, description: 'Rows, the oldest first, in the order of the features in GET /model.' },
    frequency: Frequency,
    frequency_seconds: seconds,
    start_timestamp: { type: 'string', description: 'Time of the first row, ISO 8601.' }
  }
} as const

const request = (maxSteps: number, maxSeries: number) =>
  ({
    title: 'TimeSeriesRequest',
    type: 'object',
    required: ['model', 'inputs', 'options'],
    properties: {
      model: { type: 'string', description: 'Name of the model, as GET /model has it.' },
      inputs: { type: 'array', minItems: 1, maxItems: maxSeries, items: Input },
      options: {
        title: 'TimeSeriesOptions',
        type: 'object',
        required: ['horizon'],
        properties: {
          horizon: { type: 'integer', minimum: 1, maximum: maxSteps, description: 'Number of rows to forecast.' }
        }
      },
      metadata: { type: 'object', description: 'Not looked at.' }
    }
  }) as const

const Content = {
  title: 'TimeSeriesForecast',
  type: 'object',
  required: ['type', 'name', 'mean_forecast', 'frequency', 'start_timestamp', 'quantiles'],
  properties: {
    type: { type: 'string', const: 'multivariate_time_series' },
    name: { type: 'string' },
    mean_forecast: { ...Rows, description: 'Forecast rows, in the order of the features.' },
    frequency: Frequency,
    frequency_seconds: seconds,
    start_timestamp: { type: 'string', description: 'Time of the first forecast row, written as that of the series.' },
    quantiles: { ...nullable({ type: 'object', additionalProperties: Rows }), description: 'Always null.' }
  }
} as const

const Output = {
  title: 'TimeSeriesOutput',
  type: 'object',
  required: ['type', 'id', 'status', 'content', 'error'],
  properties: {
    type: { type: 'string', const: 'time_series_forecast' },
    id: { type: 'string' },
    status: { type: 'string', enum: ['completed', 'error'] },
    content: { type: 'array', items: Content, description: 'One forecast, or none where the series has an error.' },
    error: nullable(TimeSeriesError),
    warnings: { type: 'array', items: { type: 'string' }, description: 'Reasons to distrust the forecast.' }
  }
} as const

const Answer = {
  title: 'TimeSeriesAnswer',
  type: 'object',
  required: ['id', 'created_at', 'status', 'error', 'model', 'outputs'],
  properties: {
    id: { type: 'string' },
    created_at: { type: 'integer', description: 'Seconds since 1970.' },
    status: { type: 'string', enum: ['completed', 'partial', 'error'] },
    error: { ...nullable(TimeSeriesError), description: 'Always null: each output has its own.' },
    model: { type: 'string' },
    outputs: { type: 'array', items: Output, description: 'What became of each series, in their order.' }
  }
} as const

function example({ manifest, ...rest }: Example) {
  const { name, features, frequency_seconds } = manifest
  const series = rowsOf(
    { manifest, ...rest },
    features.map(feature => feature.name)
  )
  const start_timestamp = rest.body.data[rest.body.index_col]![0]
  const input = {
    type: 'multivariate_time_series',
    name: 'cell',
    series,
    frequency: 'S',
    frequency_seconds,
    start_timestamp
  }
  return { model: name, inputs: [input], options: { horizon: 1 } }
}

export function timeSeriesSchema(maxSteps: number, maxSeries: number) {
  const failed = [400, 404, 413, 415, 429, 500, 503, 504]
  return {
    operationId: 'forecastTimeSeries',
    summary: 'Forecast several time series, as KServe’s protocol has it',
    tags: ['timeseries'],
    querystring: NoQuery,
    describedBody: request(maxSteps, maxSeries),
    exampleAs: example,
    response: { 200: Answer, ...Object.fromEntries(failed.map(status => [status, ErrorAnswer])) }
  }
}
