/** What the fast path needs to know of a request's headers. */
export interface FastHeaders {
  /** bytes of the body; 0 until it has been seen */
  length: number
  /** the caller's `x-request-id` */
  requestId: string | undefined
  /** bytes of the JSON in the body, as `inference-header-content-length` says */
  jsonLength: string | undefined
}

/** What the sender's own words may be for a body that is JSON. */
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/json; charset=utf-8'])
const LENGTH = /^[1-9]\d{0,5}$/

/** What has been seen of a request's headers. */
interface Seen extends FastHeaders {
  host: boolean
  /** that of the body is right */
  type: boolean
  isJson: boolean
}

/** Names that make a request unusual, whatever they say. */
const UNUSUAL: ReadonlySet<string> = new Set(['expect', 'upgrade', 'trailer', 'content-encoding', 'transfer-encoding'])
const JSON_LENGTH = 'inference-header-content-length'
const TOLD = ['host', 'connection', 'content-type', 'content-length', 'x-request-id', JSON_LENGTH, ...UNUSUAL]
/** By the length of a name: most headers are none of these, and making each name lower-case would cost more than all else here. */
const IS_TOLD: readonly boolean[] = Array.from({ length: 32 }, (_, length) => TOLD.some(name => name.length === length))

/**
 * Reads a request's headers as the parser gives them, names and values in turn; undefined where anything is unusual, which is left to
 * Node: a body in chunks, a wish for another protocol or for the end of the connection, no host, a header of these that stands twice.
 * `isJson`: also a body that does not say that it is JSON.
 */
export function fastHeaders(raw: readonly string[], isJson: boolean): FastHeaders | undefined {
  const seen: Seen = { host: false, type: !isJson, isJson, length: 0, requestId: undefined, jsonLength: undefined }
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!
    if (IS_TOLD[name.length] === true && !isUsual(seen, name.toLowerCase(), raw[at + 1]!)) return undefined
  }
  return seen.host && seen.type && seen.length > 0 ? seen : undefined
}

function isUsual(seen: Seen, name: string, value: string): boolean {
  switch (name) {
    case 'host': {
      const isFirst = !seen.host
      seen.host = true
      return isFirst
    }
    case 'connection':
      return value.toLowerCase() === 'keep-alive'
    case 'content-type': {
      if (!seen.isJson) return true
      const isFirst = !seen.type
      seen.type = true
      return isFirst && JSON_TYPES.has(value.toLowerCase())
    }
    case 'content-length': {
      const isFirst = seen.length === 0
      seen.length = LENGTH.test(value) ? Number(value) : 0
      return isFirst && seen.length > 0
    }
    case 'x-request-id': {
      const isFirst = seen.requestId === undefined
      seen.requestId = value
      return isFirst
    }
    case JSON_LENGTH: {
      const isFirst = seen.jsonLength === undefined
      seen.jsonLength = value
      return isFirst
    }
    default:
      return !UNUSUAL.has(name)
  }
}
