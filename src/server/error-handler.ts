import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, ServiceError } from '../errors.js'
import { jsonPointer } from '../json-pointer.js'
import type { Metrics } from '../metrics/metrics.js'
import { errorBody } from './error-body.js'
import { afterBody } from './http/late-body.js'

/** Fastify's own errors that callers can cause, by its code. */
const FASTIFY_CODES: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'the body is larger than BODY_LIMIT_BYTES'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'send content-type application/json'],
  FST_ERR_CTP_EMPTY_TYPE: ['unsupported_media_type', 'send content-type application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'the body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'the body is not as long as content-length says'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_json', 'the body is not JSON'],
  FST_ERR_BAD_URL: ['bad_request', 'the URL cannot be decoded']
}

type SchemaError = NonNullable<FastifyError['validation']>[number]

/** Ajv's keywords in the caller's words. */
const KEYWORDS: Record<string, ErrorCode> = { additionalProperties: 'unknown_field', required: 'missing_field' }

/** Seconds after which a refused caller may come back: the queue turns over many times in one. */
const RETRY_AFTER = '1'
const RETRIED_LATER: ReadonlySet<ErrorCode> = new Set(['queue_full', 'model_not_ready'])

/** Any error as one of the closed list; what is not known becomes `internal`, whose cause only the log shows. */
function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  const { code, validation, validationContext, statusCode, message } = error as Partial<FastifyError>
  if (validation?.[0]) return invalid(validation[0], validationContext === 'querystring')
  const known = FASTIFY_CODES[code ?? '']
  if (known) return new ServiceError(known[0], known[1], undefined, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ServiceError('bad_request', message ?? 'bad request', undefined, { cause: error })
  }
  return new ServiceError('internal', 'internal error', undefined, { cause: error })
}

/** What a schema does not allow, in the caller's words. */
function invalid(
  { keyword, instancePath, params, message: words = 'is not valid' }: SchemaError,
  ofQuery: boolean
): ServiceError {
  const code = KEYWORDS[keyword] ?? (keyword === 'type' ? 'wrong_type' : 'out_of_range')
  if (code === 'unknown_field') {
    const field = jsonPointer(String(params.additionalProperty))
    const message = ofQuery ? 'the query has no such field' : 'no such field'
    return new ServiceError(code, message, field === undefined ? undefined : instancePath + field)
  }
  const name = keyword === 'required' ? `: ${String(params.missingProperty)}` : ''
  return new ServiceError(code, `${words}${name}`, instancePath)
}

/** Maps errors to HTTP, in this one place. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const failure = toServiceError(error)
    if (failure.statusCode === 500)
      request.log.error({ reqId: request.id, err: failure.cause ?? failure }, failure.message)
    if (RETRIED_LATER.has(failure.code)) void reply.header('retry-after', RETRY_AFTER)
    afterBody(request, reply, () => void reply.code(failure.statusCode).send(errorBody(failure)))
  })
  app.setNotFoundHandler((request, reply) => {
    const failure = new ServiceError('not_found', 'no such route')
    afterBody(request, reply, () => void reply.code(404).send(errorBody(failure)))
  })
}

/** Answers a URL that cannot be decoded: it has no route, and none of the hooks that count and answer errors is run. */
export function badUrlHandler(metrics: Pick<Metrics, 'route'>) {
  const unmatched = metrics.route('unmatched')
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toServiceError(error)
    unmatched.ended(failure.statusCode, 0)
    void reply.code(failure.statusCode).header('x-request-id', request.id).send(errorBody(failure))
  }
}
