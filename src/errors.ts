/**
 * Every error a caller can meet: its stable code, its HTTP status and whether the same request may succeed later.
 * The codes are part of the interface; they are listed in docs/reference/api.md and a test compares the two.
 */
export const ERRORS = {
  malformed_json: { status: 400, retryable: false },
  invalid_utf8: { status: 400, retryable: false },
  duplicate_key: { status: 400, retryable: false },
  unknown_field: { status: 400, retryable: false },
  missing_field: { status: 400, retryable: false },
  wrong_type: { status: 400, retryable: false },
  unknown_column: { status: 400, retryable: false },
  missing_column: { status: 400, retryable: false },
  missing_index: { status: 400, retryable: false },
  ragged_columns: { status: 400, retryable: false },
  too_few_rows: { status: 400, retryable: false },
  too_many_rows: { status: 400, retryable: false },
  not_a_number: { status: 400, retryable: false },
  non_finite: { status: 400, retryable: false },
  out_of_range: { status: 400, retryable: false },
  bad_timestamp: { status: 400, retryable: false },
  duplicate_timestamp: { status: 400, retryable: false },
  unordered_timestamps: { status: 400, retryable: false },
  bad_request: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  request_timeout: { status: 408, retryable: true },
  no_previous_model: { status: 409, retryable: false },
  body_too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  model_refused: { status: 422, retryable: false },
  queue_full: { status: 429, retryable: true },
  headers_too_large: { status: 431, retryable: false },
  internal: { status: 500, retryable: false },
  worker_failed: { status: 500, retryable: true },
  invalid_forecast: { status: 500, retryable: false },
  model_not_ready: { status: 503, retryable: true },
  promotion_unavailable: { status: 503, retryable: true },
  run_timeout: { status: 503, retryable: true },
  deadline_exceeded: { status: 504, retryable: true }
} as const satisfies Record<string, { status: number; retryable: boolean }>

export type ErrorCode = keyof typeof ERRORS

/** An error with a stable code, meant for the caller; `path` is a JSON pointer (RFC 6901) to the element at fault. */
export class ServiceError extends Error {
  readonly code: ErrorCode
  readonly path: string | undefined

  constructor(code: ErrorCode, message: string, path?: string, options?: ErrorOptions) {
    // It is an answer, not a fault: nobody reads its stack, and under overload taking it is a tenth of what a refusal costs.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'ServiceError'
    this.code = code
    this.path = path
  }

  get statusCode(): number {
    return ERRORS[this.code].status
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }
}

/** Why a model bundle was refused. The reason is shown in `/model`, in a metric and in one log line. */
export const REFUSALS = [
  'registry_unavailable',
  'storage_unavailable',
  'access_denied',
  'clock_skew',
  'not_found',
  'bad_pointer',
  'too_large',
  'checksum_mismatch',
  'manifest_invalid',
  'golden_invalid',
  'external_data',
  'operator_not_allowed',
  'signature_mismatch',
  'golden_mismatch',
  'load_failed',
  'sandbox_timeout',
  'sandbox_oom',
  'sandbox_unavailable',
  'cache_io',
  'superseded'
] as const

export type RefusalReason = (typeof REFUSALS)[number]

/** Reasons that lie in what surrounds a bundle, not in the bundle: the same one may go live on another try. */
const TRANSIENT: ReadonlySet<RefusalReason> = new Set([
  'registry_unavailable',
  'storage_unavailable',
  'access_denied',
  'clock_skew',
  'sandbox_unavailable',
  'cache_io',
  'superseded'
])

/** A bundle that must not go live, and why. */
export class ModelRefused extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ModelRefused'
    this.reason = reason
  }

  /** Whether another try of the same bundle may end otherwise. */
  get transient(): boolean {
    return TRANSIENT.has(this.reason)
  }
}
