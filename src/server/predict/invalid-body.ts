import type { ErrorObject } from 'ajv'
import { type ErrorCode, ServiceError } from '../../errors.js'
import { jsonPointer } from '../../json-pointer.js'
import { HOW_TO_SEND, wayOut } from './way-out.js'

/** What is told of an element that a schema does not allow. */
export type SchemaFault = Pick<ErrorObject, 'keyword' | 'instancePath' | 'message'> & {
  params: Record<string, unknown>
}

/** Ajv's keywords in the caller's words. */
const KEYWORDS: Record<string, ErrorCode> = { additionalProperties: 'unknown_field', required: 'missing_field' }

/**
 * What the schema of a forecast request does not allow, in the caller's words. Of the body as a whole there is no pointer: it would be
 * an empty one. `maxSteps`: the most that may be asked for.
 */
export function invalidBody(fault: SchemaFault, body: unknown, maxSteps: number | undefined): ServiceError {
  const { keyword, instancePath, params, message } = fault
  const code = KEYWORDS[keyword] ?? (keyword === 'type' ? 'wrong_type' : 'out_of_range')
  const way = wayOut(body)
  if (code === 'unknown_field') {
    const field = jsonPointer(String(params.additionalProperty))
    const path = field === undefined ? undefined : instancePath + field
    return new ServiceError(code, way ?? 'the only fields of a request are data, index_col and inference_length', path)
  }
  const path = instancePath === '' ? undefined : instancePath
  if (code === 'missing_field')
    return new ServiceError(code, way ?? `${params.missingProperty} is missing: ${HOW_TO_SEND}`, path)
  if (instancePath === '/inference_length') {
    return new ServiceError(code, `expected a whole number from 1 to ${maxSteps}`, path)
  }
  return new ServiceError(code, way ?? `the value ${message ?? 'is not valid'}`, path)
}
