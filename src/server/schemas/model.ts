import type { FromSchema } from 'json-schema-to-ts'
import { REFUSALS } from '../../errors.js'
import { ManifestSchema } from '../../model/bundle/manifest.js'
import { errorAnswers, named, NoQuery, nullable } from './shared.js'
import { ShadowState } from './shadow.js'

const { name, version, run_id, created_at, target, window, frequency_seconds, sha256, ...manifest } =
  ManifestSchema.properties
const architecture = { title: 'Architecture', ...manifest.architecture } as const
const features = { ...manifest.features, items: { title: 'Feature', ...manifest.features.items } } as const
const time = { type: 'string', format: 'date-time' } as const

const Promotion = {
  title: 'PromotionOutcome',
  type: 'object',
  required: ['outcome', 'at'],
  properties: {
    outcome: { type: 'string', enum: ['live', 'refused'] },
    reason: { type: 'string', enum: REFUSALS },
    message: { type: 'string' },
    version: { type: 'string' },
    at: time
  }
}

const Serving = named('Model', {
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
  since: { ...time, description: 'When this version went live in this replica.' }
})

const version_or_none = nullable({ type: 'string' })

const Way = named('PromotionState', {
  source: { type: 'string', enum: ['local', 's3', 'mlflow'] },
  location: {
    ...nullable({ type: 'string' }),
    description: 'Location of the promoted bundle; null until the source has answered.'
  },
  promoted_version: {
    ...version_or_none,
    description: 'Version that the source named last; null until the source has answered.'
  },
  stale: { type: 'boolean', description: 'Whether the live model may differ from the promoted version.' },
  registry_up: { type: 'boolean', description: 'Whether the source answered the last time.' },
  events_heard: {
    ...nullable({ type: 'boolean' }),
    description: 'Whether promotion events from Kafka are received; null without KAFKA_BROKERS.'
  },
  held_off: {
    ...version_or_none,
    description: 'Version that a rollback has blocked: the replica does not roll it out again.'
  },
  previous_version: { ...version_or_none, description: 'Version that a rollback would put back.' }
})

const Active = { ready: { type: 'boolean' }, model: nullable(Serving), last_promotion: nullable(Promotion) } as const

const Shadow = named('Shadow', { ...Active, ...ShadowState })

const ModelAnswer = named('ModelAnswer', { ...Active, promotion: Way, shadow: nullable(Shadow) })

export const modelSchema = {
  operationId: 'getModel',
  summary: 'The live model, its promotion and its shadow',
  tags: ['model'],
  querystring: NoQuery,
  response: { 200: ModelAnswer, ...errorAnswers(400) }
}

const ExampleQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    // Text, for a query has nothing else and types are not coerced.
    index: { type: 'string', pattern: '^[0-9]{1,6}$', description: 'Number of the example, from 0.' }
  }
} as const

export type ExampleQuery = FromSchema<typeof ExampleQuery>

export const exampleSchema = {
  operationId: 'getExample',
  summary: 'A real window as a body for POST /predict, and its forecast by the trainer',
  tags: ['model'],
  querystring: ExampleQuery,
  response: {
    200: named('Example', {
      index: { type: 'integer' },
      count: { type: 'integer', description: 'Number of examples in the bundle of the model.' },
      body: named('ExampleBody', {
        index_col: { type: 'string' },
        data: {
          type: 'object',
          additionalProperties: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }
        }
      }),
      expected: { type: 'object', additionalProperties: { type: 'number' } }
    }),
    ...errorAnswers(400, 503)
  }
}

export const reloadSchema = {
  operationId: 'reloadModel',
  summary: 'Roll out the promoted bundle now',
  tags: ['admin'],
  security: [{ bearer: [] }],
  querystring: NoQuery,
  response: { 200: ModelAnswer, ...errorAnswers(400, 401, 404, 422, 503) }
}

export const rollbackSchema = {
  operationId: 'rollbackModel',
  summary: 'Put back the version that served before, and block the live version',
  tags: ['admin'],
  security: [{ bearer: [] }],
  querystring: NoQuery,
  response: { 200: ModelAnswer, ...errorAnswers(400, 401, 404, 409, 422, 503) }
}
