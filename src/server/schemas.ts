import { Type } from 'typebox'
import { ERRORS, type ErrorCode } from '../errors.js'

/** The one shape of every error answer. */
export const ErrorAnswer = Type.Object(
  {
    error: Type.Object({
      code: Type.Enum(Object.keys(ERRORS) as ErrorCode[]),
      message: Type.String(),
      path: Type.Optional(Type.String({ description: 'JSON pointer (RFC 6901) to the element at fault.' })),
      retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' })
    })
  },
  { description: 'An error. 5xx answers keep their cause to the log.' }
)

/** Error answers by status, for a route's OpenAPI description. */
export function errorAnswers<S extends number>(...statuses: S[]): Record<S, typeof ErrorAnswer> {
  return Object.fromEntries(statuses.map(status => [status, ErrorAnswer])) as Record<S, typeof ErrorAnswer>
}
