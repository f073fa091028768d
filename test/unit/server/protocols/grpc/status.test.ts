import { status } from '@grpc/grpc-js'
import t from 'tap'
import { type ErrorCode, ERRORS, ServiceError } from '../../../../../src/errors.js'
import { GRPC_STATUS, statusOf } from '../../../../../src/server/protocols/grpc/status.js'

/** The statuses that clients of HTTP and of gRPC read the same in (Google's API design guide, and what retries rest on). */
const ALIKE: Record<number, status[]> = {
  400: [status.INVALID_ARGUMENT],
  401: [status.UNAUTHENTICATED],
  404: [status.NOT_FOUND],
  405: [status.UNIMPLEMENTED],
  408: [status.DEADLINE_EXCEEDED],
  409: [status.FAILED_PRECONDITION],
  413: [status.RESOURCE_EXHAUSTED],
  415: [status.INVALID_ARGUMENT],
  422: [status.FAILED_PRECONDITION],
  429: [status.RESOURCE_EXHAUSTED],
  431: [status.RESOURCE_EXHAUSTED],
  500: [status.INTERNAL, status.UNAVAILABLE],
  503: [status.UNAVAILABLE],
  504: [status.DEADLINE_EXCEEDED]
}

t.test('each error has the gRPC status that goes with its HTTP status, and what is worth a retry says so', t => {
  for (const [code, { status: http, retryable }] of Object.entries(ERRORS)) {
    const grpc = GRPC_STATUS[code as ErrorCode]
    t.ok(ALIKE[http]!.includes(grpc), `${code}: ${http} and ${status[grpc]}`)
    if (http >= 500) t.equal(retryable, grpc === status.UNAVAILABLE || grpc === status.DEADLINE_EXCEEDED, code)
  }
  t.end()
})

t.test('the details have code, place and words, and can be sent whatever a caller wrote', t => {
  const { code, details, metadata } = statusOf(new ServiceError('out_of_range', 'half \ud800 a pair', '/inputs/0'))
  t.equal(code, status.INVALID_ARGUMENT)
  t.equal(details, 'out_of_range at /inputs/0: half \ufffd a pair')
  t.equal(encodeURI(details).length > 0, true)
  t.same(metadata.get('error-code'), ['out_of_range'])
  t.end()
})
