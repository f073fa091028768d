import { isAscii, isUtf8, transcode } from 'node:buffer'
import { ServiceError } from '../../errors.js'
import { MAX_DEPTH, MAX_PARTS, refuseFaults } from './json-faults.js'

const QUOTE = 34
/** Characters of a field's or a column's name. */
const MAX_NAME = 256

/**
 * Parses a request body strictly. `JSON.parse` would take the last of two equal keys and silently drop the first one's
 * values, so those are refused; `__proto__` is an ordinary own key here, which the schema does not know.
 *
 * The cost is linear in the bytes, whatever they are: what `JSON.parse` is slow with is refused before it, and what it
 * cannot say (which key stands twice, where the text stops being JSON) is found in one pass. `maxParts`: the most keys of a legal
 * body, and the most objects and arrays.
 */
export function parseJsonBody(body: Buffer, maxParts = MAX_PARTS): unknown {
  const text = decode(body)
  const keys = isBroad(text, maxParts) ? undefined : countKeys(text, maxParts)
  if (keys === undefined) refuseFaults(body, maxParts)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    refuseFaults(body, maxParts)
    throw new ServiceError('malformed_json', 'the body is not JSON', undefined, { cause })
  }
  if (countNames(value) !== keys && keys !== undefined) refuseFaults(body, maxParts)
  return value
}

/** The text, by the quickest of Node's ways: UTF-8 that is not ASCII takes `toString` ten times as long as `transcode`. */
function decode(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1')
  if (!isUtf8(body)) throw new ServiceError('invalid_utf8', 'the body is not UTF-8')
  return transcode(body, 'utf8', 'utf16le').toString('utf16le')
}

/** Whether the text may have more objects or arrays than any legal body. */
function isBroad(text: string, most: number): boolean {
  return isOftener(text, '[', most) || isOftener(text, '{', most)
}

function isOftener(text: string, what: string, most: number): boolean {
  let count = 0
  for (let at = text.indexOf(what); at !== -1; at = text.indexOf(what, at + 1)) if (++count > most) return true
  return false
}

/**
 * Colons that stand behind a quote, with or without space between: every key's, and perhaps some inside strings. Undefined
 * where there are more than any legal body has.
 */
function countKeys(text: string, maxParts: number): number | undefined {
  let count = 0
  // Times have colons too, but other characters as well: beyond this, one look at each character costs less.
  let most = maxParts + (text.length >> 3)
  for (let at = text.indexOf(':'), last = 0; at !== -1; last = at, at = text.indexOf(':', at + 1)) {
    const before = text.charCodeAt(at - 1)
    if (before === QUOTE || (before <= 32 && text.slice(last, at).trimEnd().endsWith('"'))) count++
    if (--most < 0) return undefined
  }
  return count > maxParts ? undefined : count
}

/**
 * Names in the value, at any depth that a legal body has; NaN for a deeper one.
 * @throws ServiceError for a name that is longer than any of a model
 */
function countNames(value: unknown, depth = 0): number {
  if (depth > MAX_DEPTH) return NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') count += countNames(element, depth + 1)
    return count
  }
  if (!isObject(value)) return 0
  for (const name of Object.keys(value)) {
    count++
    if (name.length > MAX_NAME) throw tooLong(depth === 0 ? 'unknown_field' : 'unknown_column')
    const inner = value[name]
    if (typeof inner === 'object') count += countNames(inner, depth + 1)
  }
  return count
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function tooLong(code: 'unknown_field' | 'unknown_column'): ServiceError {
  const what = code === 'unknown_field' ? 'field' : 'column'
  return new ServiceError(code, `the name of a ${what} has more than ${MAX_NAME} characters`)
}
