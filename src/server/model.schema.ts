import { Type, type Static } from 'typebox'
import { REFUSALS } from '../errors.js'
import { ManifestSchema } from '../model/manifest.js'
import { errorAnswers } from './schemas.js'

const { name, version, run_id, created_at, architecture, features, target, window, frequency_seconds, sha256 } =
  ManifestSchema.properties

const Promotion = Type.Object({
  outcome: Type.Enum(['live', 'refused']),
  reason: Type.Optional(Type.Enum([...REFUSALS])),
  message: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  at: Type.String({ format: 'date-time' })
})

const Serving = Type.Object({
  name,
  version,
  run_id,
  created_at,
  architecture,
  features,
  target,
  window,
  frequency_seconds,
  sha256,
  since: Type.String({ format: 'date-time', description: 'When it went live in this replica.' })
})

export const ModelAnswer = Type.Object({
  ready: Type.Boolean(),
  model: Type.Union([Serving, Type.Null()]),
  last_promotion: Type.Union([Promotion, Type.Null()])
})

export const modelSchema = {
  summary: 'What serves, since when, and how the last promotion ended',
  tags: ['model'],
  response: { 200: ModelAnswer }
}

const ExampleQuery = Type.Object(
  {
    // Text, for a query has nothing else and types are not coerced.
    index: Type.Optional(Type.String({ pattern: '^[0-9]{1,6}$', description: 'Which of the examples, from 0.' }))
  },
  { additionalProperties: false }
)

export type ExampleQuery = Static<typeof ExampleQuery>

export const exampleSchema = {
  summary: 'A real window, as a body for POST /predict, with the forecast that the trainer stated for it',
  tags: ['model'],
  querystring: ExampleQuery,
  response: {
    200: Type.Object({
      index: Type.Integer(),
      count: Type.Integer({ description: 'Examples that the model brings.' }),
      body: Type.Object({
        index_col: Type.String(),
        data: Type.Record(Type.String(), Type.Array(Type.Union([Type.String(), Type.Number()])))
      }),
      expected: Type.Record(Type.String(), Type.Number())
    }),
    ...errorAnswers(400, 503)
  }
}

export const reloadSchema = {
  summary: 'Take the bundle that is promoted now live',
  tags: ['admin'],
  security: [{ bearer: [] }],
  response: { 200: ModelAnswer, ...errorAnswers(401, 404, 422) }
}
