import { isUtf8 } from 'node:buffer'
import { getLocation, visit } from 'jsonc-parser'
import { ServiceError } from '../errors.js'

/** RFC 6901. */
function pointer(path: readonly (string | number)[]): string {
  return path.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/**
 * Parses a request body strictly. `JSON.parse` would take the last of two equal keys and silently drop the first one's
 * values, so those are refused; `__proto__` is an ordinary own key here, which the schema does not know.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (!isUtf8(body)) throw new ServiceError('invalid_utf8', 'the body is not UTF-8')
  const text = body.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(text, error)
  }
  if (countKeys(value) !== countColons(text) || hasSpacedColon(text)) refuseDuplicateKeys(text)
  return value
}

/** Occurrences of `":`, which ends every key that is written without a space behind it. */
function countColons(text: string): number {
  let count = 0
  for (let at = text.indexOf('":'); at !== -1; at = text.indexOf('":', at + 2)) count++
  return count
}

/** Whether some key may have gone uncounted: it could make up for one that stands twice. */
function hasSpacedColon(text: string): boolean {
  return text.includes(' :') || text.includes('\n:') || text.includes('\t:') || text.includes('\r:')
}

/** Keys of the object and of the objects directly in it: as deep as any legal body goes. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return -1
  let count = 0
  for (const key of Object.keys(value)) {
    count++
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) count += Object.keys(inner).length
  }
  return count
}

/** The careful look, taken only when the quick count of keys does not add up or cannot be relied on. */
function refuseDuplicateKeys(text: string): void {
  const seen: Set<string>[] = []
  let duplicate: string | undefined
  const open = () => {
    if (seen.push(new Set()) > 32) throw new ServiceError('bad_request', 'the body is nested too deeply')
  }
  const close = () => void seen.pop()
  visit(text, {
    onObjectBegin: open,
    onObjectEnd: close,
    onArrayBegin: open,
    onArrayEnd: close,
    onObjectProperty(...[key, , , , , path]) {
      const keys = seen.at(-1)!
      if (keys.has(key)) duplicate ??= pointer([...path(), key])
      keys.add(key)
    }
  })
  if (duplicate !== undefined) throw new ServiceError('duplicate_key', 'the same key stands twice', duplicate)
}

/** Names the element where the text stops being JSON: a NaN that some writers emit is the usual case. */
function malformed(text: string, cause: unknown): ServiceError {
  const position = firstError(text)
  if (position === undefined) return new ServiceError('malformed_json', 'the body is not JSON', undefined, { cause })
  const where = position < text.length ? `is not JSON from character ${position} on` : 'ends too early'
  return new ServiceError('malformed_json', `the body ${where}`, pathAt(text, position), { cause })
}

/** Found by the second parser: what `JSON.parse` says of the place differs from one Node version to the next. */
function firstError(text: string): number | undefined {
  let first: number | undefined
  try {
    visit(text, { onError: (_error, offset) => void (first ??= offset) }, { disallowComments: true })
  } catch {
    // nested beyond the parser's stack
  }
  return first
}

function pathAt(text: string, position: number): string | undefined {
  try {
    const { path } = getLocation(text, position)
    // It stands for a key that has not been written yet.
    if (path.at(-1) === '') path.pop()
    return path.length > 0 && path.length <= 8 ? pointer(path) : undefined
  } catch {
    return undefined // nested beyond the parser's stack
  }
}
