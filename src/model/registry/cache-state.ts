import type { FromSchema } from 'json-schema-to-ts'
import { exactly } from '../../validate.js'

/** A bundle that has served. */
const Served = {
  type: 'object',
  additionalProperties: false,
  required: ['key', 'version'],
  properties: {
    key: { type: 'string', description: 'Name of one promoted bundle, different for each.' },
    version: { type: 'string', description: 'Version in the registry, or else in the bundle.' }
  }
} as const
const ServedOrNone = { anyOf: [Served, { type: 'null' }] } as const

/** What state.json in the cache holds. */
const StateSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['schema_version', 'origin', 'live', 'previous', 'held', 'bundles'],
  properties: {
    schema_version: { const: 1 },
    origin: { type: 'string', description: 'Source of the bundles, and the model in this source.' },
    live: ServedOrNone,
    previous: { ...ServedOrNone, description: 'Bundle that a rollback would put back.' },
    held: { ...ServedOrNone, description: 'Bundle that a rollback has blocked.' },
    bundles: {
      type: 'array',
      description: 'Copies in the cache, by key.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'sha256'],
        properties: { key: { type: 'string' }, sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } }
      }
    }
  }
} as const

export type CacheState = FromSchema<typeof StateSchema>
export type Served = FromSchema<typeof Served>
/** What a replica knows of its promotions, and should still know after a restart. */
export type Past = Pick<CacheState, 'live' | 'previous' | 'held'>

/** Reads state.json; undefined where it is not what was written. */
export function parseState(text: string): CacheState | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return exactly.validate<CacheState>(StateSchema, value) ? value : undefined
  } catch {
    return undefined
  }
}
