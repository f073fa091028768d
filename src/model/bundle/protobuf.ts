import { isUtf8 } from 'node:buffer'
import { ModelRefused } from '../../errors.js'

/**
 * A reader of protobuf's wire format (protobuf.dev/programming-guides/encoding) that takes what has one meaning and refuses what two
 * parsers might read in two ways (docs/adr/0011): a field that the message does not have or that stands twice, a
 * number that is longer than it need be, another wire type, a group.
 */

/**
 * What a field holds: a number of 64 or 32 bits, a float, a double, text (UTF-8), bytes, or the message of that name. Behind it
 * stands `*` where the field may be repeated, `|` where it is one of several of which one may be there.
 */
export type Schema = Record<string, Record<number, string>>

/**
 * A message that was read: by field number what stood there, in order. Of bytes it is how many there are, and of floats and doubles
 * how many stood in a row.
 */
export type Tree = Record<number, Value[]>
export type Value = number | string | Tree

interface Field {
  kind: string
  many: boolean
  choice: boolean
}

/** Wire types of what is no message. */
const WIRES: Record<string, number> = { int: 0, int32: 0, double: 1, text: 2, bytes: 2, float: 5 }
const WIRE_BYTES = 2
const FIXED: Record<string, number> = { double: 8, float: 4 }
/** Messages inside messages that are followed; protobuf's own readers follow 100. */
const MAX_DEPTH = 64
/** Fields of a whole file, so that a file of nothing but fields takes neither all memory nor seconds. */
const MAX_FIELDS = 200_000
const MAX_FIELD_NUMBER = 2 ** 29 - 1
const MAX_LENGTH = 2 ** 31 - 1
/** The bit, in the fields seen, of those of which one may be there. No message here has a field of that number. */
const CHOICE = 30

export class ProtobufReader {
  readonly #bytes: Buffer
  readonly #schema: Record<string, Record<number, Field>>
  #at = 0
  #fields = 0

  constructor(bytes: Uint8Array, schema: Schema) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#schema = Object.fromEntries(
      Object.entries(schema).map(([message, fields]) => [
        message,
        Object.fromEntries(Object.entries(fields).map(([number, text]) => [number, fieldOf(text)]))
      ])
    )
  }

  /** Reads all bytes as one message; throws `ModelRefused` (`load_failed`) where they are none, or not in one way only. */
  read(message: string): Tree {
    if (this.#bytes.length > MAX_LENGTH) throw broken('the file is too long')
    return this.#message(message, this.#bytes.length, 0)
  }

  #message(message: string, end: number, depth: number): Tree {
    if (depth > MAX_DEPTH) throw broken('messages are nested too deeply')
    const tree: Tree = {}
    let seen = 0
    while (this.#at < end) {
      if (++this.#fields > MAX_FIELDS) throw broken('the file has too many fields')
      const tag = this.#number(end, 5)
      const number = Math.floor(tag / 8)
      const field = this.#schema[message]![number]
      if (number < 1 || number > MAX_FIELD_NUMBER || !field) throw broken(`${message} has no field ${number}`)
      const bit = 1 << (field.choice ? CHOICE : number)
      if (!field.many && (seen & bit) !== 0) throw broken(`field ${number} of ${message} is there twice`)
      seen |= bit
      this.#value((tree[number] ??= []), field, tag % 8, { end, depth, what: `field ${number} of ${message}` })
    }
    return tree
  }

  #value(
    values: Value[],
    { kind, many }: Field,
    wire: number,
    place: { end: number; depth: number; what: string }
  ): void {
    const usual = WIRES[kind] ?? WIRE_BYTES
    const packed = many && usual !== WIRE_BYTES && wire === WIRE_BYTES
    if (wire !== usual && !packed) throw broken(`${place.what} is of wire type ${wire}`)
    if (usual !== WIRE_BYTES && !packed) return void values.push(this.#scalar(kind, place.end))
    const stop = this.#number(place.end, 5) + this.#at
    if (stop > place.end) throw broken('the file is cut short')
    if (packed) this.#packed(values, kind, stop)
    else values.push(this.#inside(kind, stop, place.depth))
  }

  /** A message, text or bytes; it ends at `stop`. */
  #inside(kind: string, stop: number, depth: number): Value {
    if (this.#schema[kind]) return this.#message(kind, stop, depth + 1)
    const start = this.#at
    this.#at = stop
    return kind === 'text' ? this.#text(start, stop) : stop - start
  }

  #packed(values: Value[], kind: string, stop: number): void {
    const size = FIXED[kind]
    if (size !== undefined) {
      if ((stop - this.#at) % size !== 0) throw broken('the file is cut short')
      values.push((stop - this.#at) / size)
      this.#at = stop
    }
    while (this.#at < stop) {
      if (++this.#fields > MAX_FIELDS) throw broken('the file has too many numbers')
      values.push(this.#scalar(kind, stop))
    }
  }

  #text(start: number, stop: number): string {
    const bytes = this.#bytes.subarray(start, stop)
    if (!isUtf8(bytes)) throw broken('a text is not UTF-8')
    return bytes.toString('utf8')
  }

  #scalar(kind: string, end: number): number {
    const fixed = FIXED[kind]
    if (fixed !== undefined) {
      this.#at += fixed
      if (this.#at > end) throw broken('the file is cut short')
      return 1
    }
    const value = this.#number(end, 10)
    // What is below 0 is written as 64 bits. Readers drop the upper half of what they keep in 32.
    if (kind === 'int32' && value > MAX_LENGTH && value < 2 ** 64 - 2 ** 31) throw broken('a number is too large')
    return value
  }

  /** A varint in its shortest form: up to 32 bits of a tag or a length (5 bytes), 64 of a value (10). Above 2^53 it is rounded. */
  #number(end: number, most: 5 | 10): number {
    let value = 0
    for (let count = 0; count < most; count++) {
      if (this.#at >= end) throw broken('the file is cut short')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * 2 ** (7 * count)
      if (byte >= 0x80) continue
      const last = most === 5 ? 0x0f : 1
      if ((byte === 0 && count > 0) || (count === most - 1 && byte > last)) break
      return value
    }
    throw broken('a number is too long or not in its shortest form')
  }
}

/** The numbers, or counts, that stood in a field. */
export function numbers(tree: Tree, field: number): number[] {
  return (tree[field] ?? []) as number[]
}

/** The texts that stood in a field. */
export function texts(tree: Tree, field: number): string[] {
  return (tree[field] ?? []) as string[]
}

/** The messages that stood in fields. */
export function messages(tree: Tree, ...fields: number[]): Tree[] {
  return fields.flatMap(field => (tree[field] ?? []) as Tree[])
}

function fieldOf(text: string): Field {
  const [, kind = '', mark] = /^(\w+)([*|]?)$/.exec(text)!
  return { kind, many: mark === '*', choice: mark === '|' }
}

export function broken(message: string): ModelRefused {
  return new ModelRefused('load_failed', `model.onnx is not an unambiguous ONNX file: ${message}`)
}
