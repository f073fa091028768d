/**
 * Pieces of an ONNX protobuf, written by hand after onnx.proto and the wire format. Two messages one after the other are
 * one message with the fields of both, so a piece that is put behind a model is added to its graph.
 */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

const bytes = (field: number, content: readonly number[]) => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content
]
const text = (field: number, content: string) => bytes(field, [...Buffer.from(content)])

/** ModelProto.graph with these contents. */
export const graph = (...content: number[][]) => bytes(7, content.flat())
/** GraphProto.node: op_type, domain, and attributes. */
export const node = (type: string, domain = '', ...attributes: number[][]) =>
  bytes(1, [...text(4, type), ...(domain === '' ? [] : text(7, domain)), ...attributes.flat()])
/** NodeProto.attribute with a graph inside, as loops have it. */
export const body = (...content: number[][]) => bytes(5, [...text(1, 'body'), ...bytes(6, content.flat())])
/** NodeProto.attribute with a tensor inside, as constants have it. */
export const constant = (tensor: number[]) => bytes(5, [...text(1, 'value'), ...bytes(5, tensor)])
/** GraphProto.initializer. */
export const initializer = (tensor: number[]) => bytes(5, tensor)
/** ModelProto.functions with one node inside. */
export const functionOf = (type: string) => bytes(25, [...text(1, 'f'), ...bytes(7, text(4, type))])
/** A TensorProto whose data lie at `location`: data_location EXTERNAL, and external_data. */
export const outside = (location: string) => [
  ...[...text(8, 'w'), 14 * 8, 1],
  ...bytes(13, [...text(1, 'location'), ...text(2, location)])
]
/** The same with the flag alone. */
export const flagged = () => [...text(8, 'w'), 14 * 8, 1]

/** GraphProto.node of the standard domain, with the names of its inputs and its output. */
const step = (type: string, output: string, ...inputs: string[]) =>
  bytes(1, [...inputs.flatMap(input => text(1, input)), ...text(2, output), ...text(4, type)])

/** The model with its forecast under another name, which is free for a further step that makes the forecast. */
function withoutForecast(model: Uint8Array): Buffer {
  const renamed = Buffer.from(model)
  renamed.write('forecas0', renamed.indexOf('forecast'))
  return renamed
}

/**
 * The model with a last step that adds the largest of `gigabytes` of zeros to its forecast: right, for whoever has the
 * memory. The forecast's own name in the model goes to the new node.
 */
export function greedy(model: Uint8Array, gigabytes: number): Uint8Array {
  const elements = Buffer.alloc(8)
  elements.writeBigInt64LE(BigInt(gigabytes * 2 ** 28))
  // TensorProto: dims, data_type (7 INT64, 1 FLOAT), name, raw_data.
  const size = [...[1 * 8, 1, 2 * 8, 7], ...text(8, 'size'), ...bytes(9, [...elements])]
  const zero = [...[1 * 8, 1, 2 * 8, 1], ...text(8, 'zero'), ...bytes(9, [0, 0, 0, 0])]
  const steps = [
    step('Expand', 'zeros', 'zero', 'size'),
    step('ReduceMax', 'none', 'zeros'),
    step('Add', 'forecast', 'forecas0', 'none')
  ]
  return Buffer.concat([withoutForecast(model), Uint8Array.from(graph(initializer(size), initializer(zero), ...steps))])
}

/** The model with a last step that adds `shift`, a value a feature, to its forecast. */
export function shifted(model: Uint8Array, shift: readonly number[]): Uint8Array {
  const values = Buffer.from(Float32Array.from(shift).buffer)
  // TensorProto: dims, data_type (1 FLOAT), name, raw_data.
  const tensor = [...[1 * 8, shift.length, 2 * 8, 1], ...text(8, 'shift'), ...bytes(9, [...values])]
  const add = step('Add', 'forecast', 'forecas0', 'shift')
  return Buffer.concat([withoutForecast(model), Uint8Array.from(graph(initializer(tensor), add))])
}

/** The model with every forecast multiplied by `factor`. */
export function scaled(model: Uint8Array, factor: number): Uint8Array {
  const value = Buffer.from(Float32Array.of(factor).buffer)
  const tensor = [...[1 * 8, 1, 2 * 8, 1], ...text(8, 'factor'), ...bytes(9, [...value])]
  const multiply = step('Mul', 'forecast', 'forecas0', 'factor')
  return Buffer.concat([withoutForecast(model), Uint8Array.from(graph(initializer(tensor), multiply))])
}
