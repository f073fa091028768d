/**
 * Takes a protobuf apart and puts it together again, so that a test can write the same message in another way. Knows the
 * messages from outside (onnxSchema), and nothing of the service's own reader.
 */
type Messages = Record<string, Record<string, string>>

export interface Part {
  number: number
  wire: number
  /** fields inside where it is a message, or else the bytes behind the tag (and the length) */
  body: Part[] | Buffer
  /** written in their place where they are there */
  tag?: Buffer
  length?: Buffer
}

/** A number as protobuf writes it, with `padding` bytes that say nothing. */
export function varint(value: bigint | number, padding = 0): Buffer {
  const bytes: number[] = []
  for (let rest = BigInt(value); ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    if (rest < 0x80n) break
  }
  while (padding-- > 0) bytes.push(0x80)
  bytes[bytes.length - 1]! &= 0x7f
  return Buffer.from(bytes)
}

function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, end: at }
  }
}

const FIXED: Record<number, number> = { 1: 8, 5: 4 }

/** The parts of a well-formed message. */
export function takeApart(bytes: Buffer, messages: Messages, message = 'ModelProto'): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length;) {
    const { value: tag, end: first } = readVarint(bytes, at)
    const [number, wire] = [Math.floor(tag / 8), tag % 8]
    const { value, end } = wire === 1 || wire === 5 ? { value: 0, end: first } : readVarint(bytes, first)
    const from = wire === 2 ? end : first
    const to = wire === 2 ? end + value : wire === 0 ? end : first + FIXED[wire]!
    const content = bytes.subarray(from, to)
    const kind = messages[message]![number]!.replace(/[*|]$/, '')
    parts.push({ number, wire, body: messages[kind] ? takeApart(content, messages, kind) : content })
    at = to
  }
  return parts
}

/** The bytes of the parts. */
export function putTogether(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ number, wire, body, tag, length }) => {
      const content = Buffer.isBuffer(body) ? body : putTogether(body)
      const head = tag ?? varint(number * 8 + wire)
      return wire === 2 ? [head, length ?? varint(content.length), content] : [head, content]
    })
  )
}

/** Every list of parts in the tree, the outermost first. */
export function listsIn(parts: Part[]): Part[][] {
  return [parts, ...parts.flatMap(({ body }) => (Buffer.isBuffer(body) ? [] : listsIn(body)))]
}
