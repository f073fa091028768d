import { type Example, rowsOf } from './example.js'
import { NoQuery } from './shared.js'

const tags = ['mlflow']
const Cell = { anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'null' }] } as const
const Numbers = { type: 'array', items: { type: 'number' } } as const
const Windows = { type: 'array', items: { type: 'array', items: Numbers } } as const
const Window = { type: 'array', items: Numbers } as const
const Minutes = { type: 'array', items: { type: 'integer' } } as const

const MlflowError = {
  title: 'MlflowError',
  type: 'object',
  required: ['error_code', 'message'],
  properties: {
    error_code: { type: 'string', description: 'Code of MLflow.' },
    message: { type: 'string', description: 'Code of this service, the element at fault and what is wrong with it.' }
  }
} as const

const text = (description: string) => ({ description, content: { 'text/plain': { schema: { type: 'string' } } } })
const failed = (...statuses: number[]) => Object.fromEntries(statuses.map(status => [status, MlflowError]))

export function mlflowPingSchema(operationId: string) {
  const response = { 200: text('A line break: healthy.'), 404: text('A line break: no model, or about to stop.') }
  return { operationId, summary: 'Healthy, as MLflow asks for it', tags, response }
}

export const mlflowVersionSchema = {
  operationId: 'mlflowVersion',
  summary: 'Version of MLflow whose scoring server is spoken for',
  tags,
  response: { 200: text('The version.') }
}

const Split = {
  title: 'MlflowSplit',
  type: 'object',
  required: ['columns', 'data'],
  properties: {
    columns: { type: 'array', items: { type: 'string' } },
    index: { type: 'array', items: Cell, description: 'Times, where no column has them.' },
    data: { type: 'array', items: { type: 'array', items: Cell } }
  }
} as const

function scoringRequest(maxSteps: number) {
  return {
    title: 'MlflowRequest',
    type: 'object',
    description:
      'Exactly one of dataframe_split, dataframe_records, instances and inputs. A body of text/csv is taken too, as ' +
      'DataFrame.to_csv writes a frame: generators of clients do not know that type.',
    properties: {
      dataframe_split: { ...Split, description: 'A table of one cell; the last rows are the window.' },
      dataframe_records: {
        type: 'array',
        items: { type: 'object', additionalProperties: Cell },
        description: 'The same table, an object a row.'
      },
      instances: {
        type: 'array',
        items: {
          title: 'MlflowInstance',
          anyOf: [Window, { type: 'object', required: ['window'], properties: { window: Window, minute: Minutes } }]
        },
        description: 'Windows [rows, features] in the order of the features in GET /model.'
      },
      inputs: {
        title: 'MlflowInputs',
        anyOf: [
          Windows,
          {
            type: 'object',
            required: ['window'],
            properties: { window: Windows, minute: { type: 'array', items: Minutes } }
          }
        ],
        description: 'Windows [n, rows, features] in the order of the features in GET /model.'
      },
      params: {
        title: 'MlflowParams',
        type: 'object',
        properties: {
          inference_length: {
            type: 'integer',
            minimum: 1,
            maximum: maxSteps,
            description: 'Number of rows to forecast.'
          },
          index_col: { type: 'string', description: 'Name of the column of times.' }
        }
      }
    }
  } as const
}

const MlflowAnswer = {
  title: 'MlflowAnswer',
  type: 'object',
  required: ['predictions'],
  properties: {
    predictions: {
      type: 'array',
      items: {
        title: 'MlflowPrediction',
        anyOf: [
          { type: 'object', additionalProperties: { anyOf: [{ type: 'number' }, { type: 'string' }] } },
          Numbers,
          Window
        ]
      },
      description:
        'Of a frame, an object for each forecast row. Of windows, the forecast row of each, or its forecast rows where ' +
        'inference_length was sent.'
    },
    warnings: { type: 'array', items: { type: 'string' }, description: 'Reasons to distrust the forecast of a frame.' }
  }
} as const

export function invocationsSchema(maxSteps: number) {
  return {
    operationId: 'mlflowInvocations',
    summary: 'Forecast as MLflow’s scoring server does',
    tags,
    querystring: NoQuery,
    describedBody: scoringRequest(maxSteps),
    exampleAs: (example: Example) => {
      const columns = Object.keys(example.body.data)
      return { dataframe_split: { columns, data: rowsOf(example, columns) } }
    },
    response: {
      200: MlflowAnswer,
      ...failed(400, 413, 429, 500, 503, 504),
      415: text('Why the content type is not taken.')
    }
  }
}
