import { ERRORS } from '../../errors.js'

// A schema with a title stands under it in the components of the OpenAPI description, and generated clients call their types so.

/** The one shape of every error answer. */
export const ErrorAnswer = {
  title: 'ErrorAnswer',
  type: 'object',
  description: 'An error. The cause of a 5xx answer is in the log only.',
  required: ['error'],
  properties: {
    error: {
      title: 'ErrorDetail',
      type: 'object',
      required: ['code', 'message', 'retryable'],
      properties: {
        code: { title: 'ErrorCode', type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string' },
        path: { type: 'string', description: 'JSON pointer (RFC 6901) to the element at fault.' },
        retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' }
      }
    }
  }
} as const

/** Error answers by status, for a route's OpenAPI description. */
export function errorAnswers(...statuses: number[]): Record<number, typeof ErrorAnswer> {
  return Object.fromEntries(statuses.map(status => [status, ErrorAnswer]))
}

/** An object that has all of these properties, under a name of its own in the description; more are allowed. */
export function named<const Properties extends object>(title: string, properties: Properties) {
  const required = Object.keys(properties) as (keyof Properties & string)[]
  return { title, type: 'object', required, properties } as const
}

export const nullable = <Schema extends object>(schema: Schema) => ({ anyOf: [schema, { type: 'null' }] }) as const

/** Of a route that takes no query: a field of one is a mistake that nothing else would tell. */
export const NoQuery = { type: 'object', additionalProperties: false, properties: {} } as const
