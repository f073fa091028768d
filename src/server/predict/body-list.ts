import { ServiceError } from '../../errors.js'

const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/**
 * The elements of a JSON array as the bytes that each is written in, without a copy. Whether an element is JSON is not looked at; but if
 * each is, and this throws nothing, the whole body is.
 * @throws ServiceError where the body is no array, or has no or more than `most` elements
 */
export function elementsOf(body: Buffer, most: number): Buffer[] {
  const elements: Buffer[] = []
  let at = skipSpace(body, 0)
  if (body[at] !== OPEN_LIST) throw new ServiceError('wrong_type', 'expected an array of windows')
  do {
    if (elements.length === most) throw new ServiceError('out_of_range', `expected at most ${most} windows`)
    const from = skipSpace(body, at + 1)
    const end = endOf(body, from)
    if (end === from) {
      if (elements.length === 0 && body[end] === CLOSE_LIST) throw new ServiceError('out_of_range', 'expected a window')
      throw malformed(end)
    }
    elements.push(body.subarray(from, end))
    at = skipSpace(body, end)
  } while (body[at] === COMMA)
  if (body[at] !== CLOSE_LIST || skipSpace(body, at + 1) !== body.length) throw malformed(at)
  return elements
}

/** Where the value ends that begins at `from`: before the comma or bracket that follows it in the array, or its space. */
function endOf(body: Buffer, from: number): number {
  let depth = 0
  for (let at = from; at < body.length; at++) {
    const byte = body[at]!
    if (byte === QUOTE) at = closingQuote(body, at)
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST || byte <= 32)) return at
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && --depth === 0) return at + 1
  }
  throw malformed(body.length)
}

function closingQuote(body: Buffer, open: number): number {
  for (let at = open + 1; at < body.length; at++) {
    if (body[at] === BACKSLASH) at++
    else if (body[at] === QUOTE) return at
  }
  throw malformed(body.length)
}

function skipSpace(body: Buffer, from: number): number {
  let at = from
  while (body[at] === 32 || body[at] === 10 || body[at] === 13 || body[at] === 9) at++
  return at
}

function malformed(at: number): ServiceError {
  return new ServiceError('malformed_json', `the body stops being an array at byte ${at}`)
}
