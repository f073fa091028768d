/** Pieces of an ONNX protobuf, written by hand after onnx.proto and the wire format. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

const bytes = (field: number, content: readonly number[]) => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content
]
const text = (field: number, content: string) => bytes(field, [...Buffer.from(content)])

/** A top-level field of a model, as places in its bytes. */
interface Field {
  number: number
  start: number
  /** where its content begins */
  content: number
  end: number
}

/** The top-level fields of a good model: varints, and what has a length. */
function fieldsOf(model: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const read = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = model[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < model.length) {
    const start = at
    const tag = read()
    const value = read()
    const content = at
    if (tag % 8 === 2) at += value
    fields.push({ number: Math.floor(tag / 8), start, content, end: at })
  }
  return fields
}

/** The model with further contents of its graph. */
export function grown(model: Uint8Array, ...content: number[][]): Buffer {
  const { start, content: first, end } = fieldsOf(model).find(({ number }) => number === 7)!
  const inside = [...model.subarray(first, end), ...content.flat()]
  return Buffer.concat([model.subarray(0, start), Uint8Array.from(bytes(7, inside)), model.subarray(end)])
}
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

/** TensorProto with its data inside: dims, data_type (7 INT64, 1 FLOAT, 6 INT32), name, raw_data. */
export function tensor(
  name: string,
  type: 1 | 6 | 7,
  values: readonly number[],
  dims: readonly number[] = [values.length]
) {
  const data = {
    1: () => Float32Array.from(values),
    6: () => Int32Array.from(values),
    7: () => BigInt64Array.from(values.map(BigInt))
  }
  const raw = Buffer.from(data[type]().buffer)
  return [...dims.flatMap(dim => [8, ...varint(dim)]), 2 * 8, type, ...text(8, name), ...bytes(9, [...raw])]
}

/** NodeProto.attribute: a whole number (AttributeProto.type 2), or a list of them (7). */
export function attribute(name: string, value: number | readonly number[]): { attribute: number[] } {
  const content =
    typeof value === 'number'
      ? [3 * 8, ...varint(value), ...varint(20 * 8), 2]
      : [...value.flatMap(one => [8 * 8, ...varint(one)]), ...varint(20 * 8), 7]
  return { attribute: bytes(5, [...text(1, name), ...content]) }
}

/** GraphProto.node of the standard domain, with the names of its inputs and its output, and attributes. */
export function step(type: string, output: string, ...inputs: (string | { attribute: number[] })[]): number[] {
  const names = inputs.filter(input => typeof input === 'string')
  const attributes = inputs.flatMap(input => (typeof input === 'string' ? [] : input.attribute))
  return bytes(1, [...names.flatMap(input => text(1, input)), ...text(2, output), ...text(4, type), ...attributes])
}

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
  const steps = [
    step('Expand', 'zeros', 'zero', 'size'),
    step('ReduceMax', 'none', 'zeros'),
    step('Add', 'forecast', 'forecas0', 'none')
  ]
  return withSteps(model, [tensor('size', 7, [gigabytes * 2 ** 28]), tensor('zero', 1, [0])], ...steps)
}

/** The model with a last step that adds `shift`, a value a feature, to its forecast. */
export function shifted(model: Uint8Array, shift: readonly number[]): Uint8Array {
  const add = step('Add', 'forecast', 'forecas0', 'shift')
  return withSteps(model, [tensor('shift', 1, shift)], add)
}

/** The model with every forecast multiplied by `factor`. */
export function scaled(model: Uint8Array, factor: number): Uint8Array {
  const multiply = step('Mul', 'forecast', 'forecas0', 'factor')
  return withSteps(model, [tensor('factor', 1, [factor])], multiply)
}

/** The model with further steps that make `forecast` of what was the forecast, `forecas0`, with these initialisers. */
export function withSteps(model: Uint8Array, initializers: number[][], ...steps: number[][]): Buffer {
  return grown(withoutForecast(model), ...initializers.map(initializer), ...steps)
}

/** The model with a last step that needs the first bytes of the file `location`, and changes no forecast by them. */
export function reading(model: Uint8Array, location: string): Buffer {
  const entry = (key: string, value: string) => bytes(13, [...text(1, key), ...text(2, value)])
  // TensorProto: dims, data_type (2 UINT8), name, external_data, data_location (1 EXTERNAL).
  const file = [
    ...[8, 1, 2 * 8, 2],
    ...text(8, 'file'),
    ...entry('location', location),
    ...entry('length', '1'),
    14 * 8,
    1
  ]
  return withSteps(
    model,
    [file, tensor('nothing', 1, [0])],
    step('Cast', 'number', 'file', attribute('to', 1)),
    step('Mul', 'none', 'number', 'nothing'),
    step('Add', 'forecast', 'forecas0', 'none')
  )
}
