import { Metadata, status, type StatusObject } from '@grpc/grpc-js'
import type { ErrorCode, ServiceError } from '../../../errors.js'
import { errorText } from '../v2/errors.js'

/** gRPC's status of each error that a caller can meet. */
export const GRPC_STATUS = {
  malformed_json: status.INVALID_ARGUMENT,
  invalid_utf8: status.INVALID_ARGUMENT,
  duplicate_key: status.INVALID_ARGUMENT,
  unknown_field: status.INVALID_ARGUMENT,
  missing_field: status.INVALID_ARGUMENT,
  wrong_type: status.INVALID_ARGUMENT,
  unknown_column: status.INVALID_ARGUMENT,
  missing_column: status.INVALID_ARGUMENT,
  missing_index: status.INVALID_ARGUMENT,
  ragged_columns: status.INVALID_ARGUMENT,
  too_few_rows: status.INVALID_ARGUMENT,
  too_many_rows: status.INVALID_ARGUMENT,
  not_a_number: status.INVALID_ARGUMENT,
  non_finite: status.INVALID_ARGUMENT,
  out_of_range: status.INVALID_ARGUMENT,
  bad_timestamp: status.INVALID_ARGUMENT,
  duplicate_timestamp: status.INVALID_ARGUMENT,
  unordered_timestamps: status.INVALID_ARGUMENT,
  bad_request: status.INVALID_ARGUMENT,
  unauthorized: status.UNAUTHENTICATED,
  not_found: status.NOT_FOUND,
  method_not_allowed: status.UNIMPLEMENTED,
  request_timeout: status.DEADLINE_EXCEEDED,
  no_previous_model: status.FAILED_PRECONDITION,
  body_too_large: status.RESOURCE_EXHAUSTED,
  unsupported_media_type: status.INVALID_ARGUMENT,
  model_refused: status.FAILED_PRECONDITION,
  queue_full: status.RESOURCE_EXHAUSTED,
  headers_too_large: status.RESOURCE_EXHAUSTED,
  internal: status.INTERNAL,
  // Another try, perhaps with another replica, may succeed: what gRPC's clients read in UNAVAILABLE.
  worker_failed: status.UNAVAILABLE,
  invalid_forecast: status.INTERNAL,
  model_not_ready: status.UNAVAILABLE,
  promotion_unavailable: status.UNAVAILABLE,
  run_timeout: status.UNAVAILABLE,
  deadline_exceeded: status.DEADLINE_EXCEEDED
} as const satisfies Record<ErrorCode, status>

/** Trailer with the stable code of the error (docs/reference/api.md). */
const CODE_TRAILER = 'error-code'

/** An error in gRPC's form. The details are code, place and words; the trailer has the code alone. */
export function statusOf(error: ServiceError): StatusObject {
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, error.code)
  // Half a surrogate pair, which a caller's name may hold, has no percent-encoding: the library would throw.
  return { code: GRPC_STATUS[error.code], details: Buffer.from(errorText(error)).toString(), metadata }
}
