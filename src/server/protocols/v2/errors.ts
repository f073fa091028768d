import type { ServiceError } from '../../../errors.js'

/** The body of an error answer of the protocol: one text, which names the element at fault. */
export function v2Error(failure: ServiceError): { error: string } {
  return { error: errorText(failure) }
}

/** Code, place and words of an error in one text. */
export function errorText({ code, message, path }: ServiceError): string {
  return path === undefined ? `${code}: ${message}` : `${code} at ${path}: ${message}`
}
