import { ERRORS } from '../../errors.js'

/** The one shape of every error answer. */
const ErrorAnswer = {
  type: 'object',
  description: 'An error. 5xx answers keep their cause to the log.',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'retryable'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
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

/** An object that has all of these properties; more are allowed, and left out of answers. */
export function object<const Properties extends object>(properties: Properties) {
  return { type: 'object', required: Object.keys(properties) as (keyof Properties & string)[], properties } as const
}

export const nullable = <Schema extends object>(schema: Schema) => ({ anyOf: [schema, { type: 'null' }] }) as const

/** Of a route that takes no query: a field of one is a mistake that nothing else would tell. */
export const NoQuery = { type: 'object', additionalProperties: false, properties: {} } as const
