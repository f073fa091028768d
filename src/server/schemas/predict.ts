import type { FromSchema } from 'json-schema-to-ts'
import type { Example } from './example.js'
import { ErrorAnswer, errorAnswers, named, NoQuery, nullable } from './shared.js'

/** The shape of a forecast request; the columns themselves are checked against the model's manifest. */
function predictBody<const Column extends object>(maxSteps: number, column: Column) {
  return {
    title: 'PredictRequest',
    type: 'object',
    required: ['data'],
    additionalProperties: false,
    properties: {
      index_col: {
        type: 'string',
        description: 'Name of the column of times. Not needed when the column is called ts, timestamp, time or date.'
      },
      data: {
        type: 'object',
        additionalProperties: column,
        description:
          'One array per column, all of one length: the times, strictly increasing, and each feature of the model in raw units. ' +
          'The last rows are the window.'
      },
      inference_length: {
        type: 'integer',
        minimum: 1,
        maximum: maxSteps,
        description: 'Number of rows to forecast; 1 if left out.'
      }
    }
  } as const
}

/** What is checked before the manifest is asked: its own pass over each column says more of a bad element. */
const CheckedColumn = { type: 'array' } as const
/** What callers are told of a column. */
function describedColumn(maxRows: number | undefined) {
  const items = { anyOf: [{ type: 'string' }, { type: 'number' }] } as const
  return { type: 'array', ...(maxRows !== undefined && { maxItems: maxRows }), items } as const
}

export type PredictBody = FromSchema<ReturnType<typeof predictBody<typeof CheckedColumn>>>

const Prediction = {
  title: 'Prediction',
  type: 'object',
  required: ['ts', 'value'],
  properties: {
    ts: { type: 'string', description: 'Time of the forecast row, written like the times of the request.' },
    value: { type: 'number', description: 'Forecast of the target feature of the model.' }
  },
  additionalProperties: { type: 'number' },
  description: 'One forecast row: the time, the target, and every feature.'
} as const

const PredictAnswer = {
  title: 'PredictAnswer',
  type: 'object',
  required: ['status', 'identifier', 'run_id', 'model_version', 'req_id', 'cached', 'predictions'],
  properties: {
    status: { type: 'string', const: 'SUCCESS' },
    identifier: { type: 'string', description: 'Name of the model.' },
    run_id: { type: 'string' },
    model_version: { type: 'string' },
    req_id: { type: 'string' },
    cached: { type: 'boolean', description: 'Always false.' },
    predictions: { type: 'array', items: Prediction },
    warnings: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Reasons to distrust the forecast. Each text begins with other_spacing, uneven_spacing or far_ahead, and a colon.'
    }
  }
} as const

/** `maxRows` is for the description only: the window's reader counts the rows itself. */
export function predictSchema(maxSteps: number, maxRows?: number) {
  return {
    operationId: 'predict',
    summary: 'Forecast the rows that follow a window',
    tags: ['forecast'],
    querystring: NoQuery,
    body: predictBody(maxSteps, CheckedColumn),
    describedBody: predictBody(maxSteps, describedColumn(maxRows)),
    exampleAs: ({ body }: Example) => body,
    response: { 200: PredictAnswer, ...errorAnswers(400, 413, 415, 429, 500, 503, 504) }
  }
}

/** Many windows in one call: each element is checked by itself, as the body of `predict` is. */
export function predictBatchSchema(maxSteps: number, maxWindows: number, maxRows: number) {
  return {
    operationId: 'predictBatch',
    summary: 'Forecast the next rows of many windows',
    tags: ['forecast'],
    querystring: NoQuery,
    describedBody: {
      title: 'PredictBatchRequest',
      type: 'array',
      minItems: 1,
      maxItems: maxWindows,
      items: predictBody(maxSteps, describedColumn(maxRows)),
      description: 'The windows, each as the body of `POST /predict`.'
    },
    exampleAs: ({ body }: Example) => [body],
    response: {
      200: {
        title: 'PredictBatchAnswer',
        type: 'array',
        items: { title: 'PredictOutcome', anyOf: [PredictAnswer, ErrorAnswer] },
        description: 'What became of each window, in their order: its forecast, or its error.'
      },
      ...errorAnswers(400, 413, 415, 429, 500, 503, 504)
    }
  } as const
}

export const pingSchema = {
  operationId: 'ping',
  summary: 'Whether a model is loaded, and the lengths of window and forecast',
  tags: ['forecast'],
  querystring: NoQuery,
  response: {
    200: named('PingAnswer', {
      status: { type: 'string', const: 'SUCCESS' },
      model_loaded: { type: 'boolean' },
      input_seq_len: nullable({ type: 'integer' }),
      output_seq_len: { type: 'integer' },
      has_df: { type: 'boolean', description: 'Always false.' },
      busy: { type: 'boolean', description: 'Whether every slot is taken: a request now would be refused.' },
      active_jobs: { type: 'integer' }
    }),
    ...errorAnswers(400)
  }
}
