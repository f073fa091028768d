import { STATUS_CODES } from 'node:http'
import { ERRORS, ServiceError } from '../../errors.js'
import { errorBody } from '../error-body.js'

/** Why a connection is ended for what came over it. */
export type WireCode = 'headers_too_large' | 'request_timeout' | 'bad_request'

/** Node's own errors of bytes that are no request, or of a request that is too late, by its code. */
export function wireCodeOf(code: string | undefined): WireCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'bad_request'
}

const MESSAGES: Record<WireCode, string> = {
  headers_too_large: 'the headers of the request are larger than 16 KiB',
  request_timeout: 'the request did not arrive within REQUEST_TIMEOUT_MS',
  bad_request: 'the bytes on the connection are not a valid HTTP/1.1 request'
}

/** The whole answer to what Node's HTTP parser refuses before there is a request, for the bare socket. */
export function wireRefusal(code: WireCode): string {
  const { status } = ERRORS[code]
  const body = JSON.stringify(errorBody(new ServiceError(code, MESSAGES[code])))
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}
