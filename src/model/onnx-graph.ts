import { ModelRefused } from '../errors.js'

/**
 * A reader of the ONNX protobuf (github.com/onnx/onnx, onnx/onnx.proto; wire format: protobuf.dev/programming-guides/encoding)
 * that sees what must be known before onnxruntime opens a file: which operators there are, and whether any tensor's data
 * lie outside it. It skips over weights without copying them.
 */

/** What a graph is made of. */
export interface GraphFacts {
  /** operators, with their domain in front unless it is the standard one */
  operators: Set<string>
  /** whether a tensor's data lie in another file */
  externalData: boolean
}

/** Messages that hold others: by field number the message inside. Fields that are not named are skipped. */
type Message = 'model' | 'graph' | 'function' | 'node' | 'attribute' | 'sparse' | 'tensor'
const INSIDE: Record<Message, Record<number, Message>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {}
}
const NODE_OP_TYPE = 4
const NODE_DOMAIN = 7
const TENSOR_EXTERNAL_DATA = 13
const TENSOR_DATA_LOCATION = 14

/** Graphs inside graphs (the bodies of loops) that are followed; onnxruntime recurses too. */
const MAX_DEPTH = 64
const STANDARD_DOMAINS = ['', 'ai.onnx']

/** Reads a model's bytes; throws `load_failed` where they are no ONNX protobuf. */
export function readGraph(bytes: Uint8Array): GraphFacts {
  const facts: GraphFacts = { operators: new Set(), externalData: false }
  new Reader(bytes, facts).message('model', bytes.length, 0)
  return facts
}

class Reader {
  readonly #bytes: Buffer
  readonly #facts: GraphFacts
  #at = 0

  constructor(bytes: Uint8Array, facts: GraphFacts) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#facts = facts
  }

  /** Reads the fields of one message, up to `end`. */
  message(kind: Message, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw broken('it is nested too deeply')
    const node = { type: '', domain: '' }
    while (this.#at < end) {
      const tag = this.#varint(end)
      const field = Math.floor(tag / 8)
      const wire = tag % 8
      if (kind === 'tensor' && field === TENSOR_DATA_LOCATION && wire === 0) {
        if (this.#varint(end) !== 0) this.#facts.externalData = true
        continue
      }
      if (wire !== 2) {
        this.#skip(wire, end)
        continue
      }
      const stop = this.#length(end)
      const inside = INSIDE[kind][field]
      if (inside) this.message(inside, stop, depth + 1)
      else if (kind === 'node') this.#nameOf(node, field, stop)
      else if (kind === 'tensor' && field === TENSOR_EXTERNAL_DATA) this.#facts.externalData = true
      this.#at = stop
    }
    if (this.#at !== end) throw broken('a field runs over the end of its message')
    if (kind === 'node') this.#facts.operators.add(qualified(node))
  }

  #nameOf(node: { type: string; domain: string }, field: number, stop: number): void {
    if (field === NODE_OP_TYPE) node.type = this.#bytes.toString('utf8', this.#at, stop)
    if (field === NODE_DOMAIN) node.domain = this.#bytes.toString('utf8', this.#at, stop)
  }

  #length(end: number): number {
    const stop = this.#varint(end) + this.#at
    if (stop > end) throw broken('it is cut short')
    return stop
  }

  /** Field numbers, lengths and enumerations all fit into 2^53; what does not is skipped as a value or is broken. */
  #varint(end: number): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= end) throw broken('it is cut short')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw broken('a number has more than ten bytes')
  }

  #skip(wire: number, end: number): void {
    if (wire === 0) this.#varint(end)
    else if (wire === 1) this.#at += 8
    else if (wire === 5) this.#at += 4
    else throw broken(`it has a field of wire type ${wire}`)
    if (this.#at > end) throw broken('it is cut short')
  }
}

function qualified({ type, domain }: { type: string; domain: string }): string {
  return STANDARD_DOMAINS.includes(domain) ? type : `${domain}.${type}`
}

function broken(message: string): ModelRefused {
  return new ModelRefused('load_failed', `model.onnx is no ONNX protobuf: ${message}`)
}
