import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, ServiceError } from '../errors.js'
import { jsonPointer } from '../json-pointer.js'
import type { Metrics } from '../metrics/metrics.js'
import { errorBody, isRetriedLater, logIfInternal, RETRY_AFTER } from './error-body.js'
import { invalidBody } from './predict/invalid-body.js'
import { HOW_TO_SEND } from './predict/way-out.js'
import type { predictSchema } from './schemas/predict.js'
import { afterBody } from './http/late-body.js'

const ONLY_JSON = `the body must be JSON, with content-type application/json: ${HOW_TO_SEND}`

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what a body may not be larger than, in words, where it is not BODY_LIMIT_BYTES */
    bodyLimit?: string
    /** what a body must be, in words, where it is no table of `/predict` */
    mediaTypes?: string
  }
}

const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE'

/** Fastify's own errors that callers can cause, by its code. */
const FASTIFY_CODES: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', ONLY_JSON],
  FST_ERR_CTP_EMPTY_TYPE: ['unsupported_media_type', ONLY_JSON],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'the body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'the length of the body differs from content-length'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_json', 'the body is not JSON'],
  FST_ERR_BAD_URL: ['bad_request', 'the URL cannot be decoded']
}

type PredictSchema = ReturnType<typeof predictSchema>['body']
type SchemaError = NonNullable<FastifyError['validation']>[number]

/** Any error as one of the closed list; what is not known becomes `internal`, whose cause only the log shows. */
function toServiceError(error: unknown, request?: FastifyRequest): ServiceError {
  if (error instanceof ServiceError) return error
  const { code, validation, validationContext, statusCode, message } = error as Partial<FastifyError>
  if (validation?.[0]) {
    return validationContext === 'querystring'
      ? invalidQuery(validation[0])
      : invalidBody(validation[0], request?.body, mostSteps(request))
  }
  if (code === TOO_LARGE) {
    const limit = request?.routeOptions.config.bodyLimit ?? 'BODY_LIMIT_BYTES'
    return new ServiceError('body_too_large', `the body is larger than ${limit}`, undefined, { cause: error })
  }
  const known = FASTIFY_CODES[code ?? '']
  if (known) return new ServiceError(known[0], wordsFor(known, request), undefined, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ServiceError('bad_request', message ?? 'bad request', undefined, { cause: error })
  }
  return new ServiceError('internal', 'internal error', undefined, { cause: error })
}

function wordsFor([code, message]: [ErrorCode, string], request?: FastifyRequest): string {
  const mediaTypes = request?.routeOptions.config.mediaTypes
  return code === 'unsupported_media_type' && mediaTypes !== undefined ? `the body must be ${mediaTypes}` : message
}

/** What the schema of a query does not allow, in the caller's words. */
function invalidQuery({ keyword, instancePath, params }: SchemaError): ServiceError {
  if (keyword !== 'additionalProperties') {
    return new ServiceError('out_of_range', 'expected a whole number with 1 to 6 digits', instancePath)
  }
  return new ServiceError(
    'unknown_field',
    'the query has a field that this route does not know',
    jsonPointer(String(params.additionalProperty))
  )
}

/** `MAX_STEPS`, as the schema has it that the request was held to. */
function mostSteps(request?: FastifyRequest): number | undefined {
  const body = request?.routeOptions.schema?.body as PredictSchema | undefined
  return body?.properties.inference_length.maximum
}

/** Maps errors to HTTP, in this one place; a protocol of its own words them in its `form`, for its scope. */
export function answerErrors(scope: FastifyInstance, form: (failure: ServiceError) => object | string): void {
  scope.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const failure = toServiceError(error, request)
    logIfInternal(request.log, request.id, failure)
    if (isRetriedLater(failure)) void reply.header('retry-after', RETRY_AFTER)
    afterBody(request, reply, () => void reply.code(failure.statusCode).send(form(failure)))
  })
}

/** The service's own form of errors, and the answer for paths without a route. */
export function handleErrors(app: FastifyInstance): void {
  answerErrors(app, errorBody)
  app.setNotFoundHandler((request, reply) => {
    const failure = new ServiceError('not_found', 'this path has no route')
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
