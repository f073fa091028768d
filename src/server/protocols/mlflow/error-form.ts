import type { ErrorCode, ServiceError } from '../../../errors.js'
import { errorText } from '../v2/errors.js'

/** MLflow's own codes by status, of its closed list; for any other status of a caller's error, `BAD_REQUEST`. */
const MLFLOW_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  404: 'ENDPOINT_NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED'
}
const PLAIN: ErrorCode = 'unsupported_media_type'

/** An error as MLflow's scoring server tells it, with our code and the element in the message; of a media type as plain text. */
export function mlflowError(failure: ServiceError): string | { error_code: string; message: string } {
  const message = errorText(failure)
  if (failure.code === PLAIN) return message
  return { error_code: MLFLOW_CODES[failure.statusCode] ?? 'BAD_REQUEST', message }
}
