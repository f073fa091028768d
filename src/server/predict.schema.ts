import { Type, type Static } from 'typebox'
import { errorAnswers } from './schemas.js'

/** The shape of a forecast request; the columns themselves are checked against the model's manifest. */
export function predictBody(maxSteps: number) {
  return Type.Object(
    {
      index_col: Type.Optional(
        Type.String({ description: 'Column of the times; may be left out when it is ts, timestamp, time or date.' })
      ),
      // Not Type.Record: its pattern for the keys would be run on each of them.
      data: Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        additionalProperties: { type: 'array' },
        description:
          'One array a column, all of one length: the times, strictly increasing, and each feature of the model in raw units. ' +
          'The last rows are the window.'
      }),
      inference_length: Type.Optional(
        Type.Integer({ minimum: 1, maximum: maxSteps, default: 1, description: 'Rows to forecast.' })
      )
    },
    { additionalProperties: false }
  )
}

export type PredictBody = Static<ReturnType<typeof predictBody>>

const Prediction = Type.Object(
  {
    ts: Type.String({ description: "In the style of the request's times." }),
    value: Type.Number({ description: "The manifest's target." })
  },
  { additionalProperties: Type.Number(), description: 'One forecast row: its time, the target, and every feature.' }
)

export const PredictAnswer = Type.Object({
  status: Type.Literal('SUCCESS'),
  identifier: Type.String({ description: 'Name of the model.' }),
  run_id: Type.String(),
  model_version: Type.String(),
  req_id: Type.String(),
  cached: Type.Literal(false),
  predictions: Type.Array(Prediction),
  warnings: Type.Optional(Type.Array(Type.String()))
})

export function predictSchema(maxSteps: number) {
  return {
    summary: 'Forecast the next rows of a window',
    tags: ['forecast'],
    body: predictBody(maxSteps),
    response: { 200: PredictAnswer, ...errorAnswers(400, 413, 415, 429, 500, 503, 504) }
  }
}

export const pingSchema = {
  summary: 'Whether a model is loaded, and the lengths it works with',
  tags: ['forecast'],
  response: {
    200: Type.Object({
      status: Type.Literal('SUCCESS'),
      model_loaded: Type.Boolean(),
      input_seq_len: Type.Union([Type.Integer(), Type.Null()]),
      output_seq_len: Type.Integer(),
      has_df: Type.Literal(false),
      busy: Type.Boolean({ description: 'Every place is taken: a request now would be refused.' }),
      active_jobs: Type.Integer()
    })
  }
}
