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
