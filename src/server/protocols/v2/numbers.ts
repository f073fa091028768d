import { ServiceError } from '../../../errors.js'
import { jsonPointer } from '../../../json-pointer.js'
import { sizeOf, type TensorSpec } from './tensors.js'

/** Numbers of a JSON tensor as bytes: `data` is nested as `shape` says, or flat, row by row. */
export function bytesOfJson(
  data: readonly unknown[],
  shape: readonly number[],
  spec: TensorSpec,
  path: string
): Uint8Array {
  const values = spec.datatype === 'FP32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))
  const writer = new Writer(values, spec)
  if (Array.isArray(data[0])) writer.nested(data, shape, 0, path)
  else if (data.length === values.length) writer.flat(data, path)
  else {
    const text = `expected ${values.length} values for the shape [${shape.join(', ')}], got ${data.length}`
    throw new ServiceError('ragged_columns', text, path)
  }
  return new Uint8Array(values.buffer)
}

class Writer {
  readonly #values: Float32Array | Int32Array
  readonly #isLegal: (value: number) => boolean
  readonly #expected: string
  #at = 0

  constructor(values: Float32Array | Int32Array, { datatype }: TensorSpec) {
    this.#values = values
    const isInteger = datatype === 'INT32'
    this.#isLegal = isInteger ? value => (value | 0) === value : value => Number.isFinite(Math.fround(value))
    this.#expected = isInteger ? 'a whole number within the range of int32' : 'a number within the range of float32'
  }

  nested(data: unknown, shape: readonly number[], axis: number, path: string): void {
    const length = shape[axis]!
    if (!Array.isArray(data)) throw new ServiceError('wrong_type', `expected an array of ${length}`, path)
    if (data.length !== length) {
      throw new ServiceError('ragged_columns', `expected ${length} elements, got ${data.length}`, path)
    }
    if (axis === shape.length - 1) return this.flat(data, path)
    for (let index = 0; index < length; index++) this.nested(data[index], shape, axis + 1, `${path}/${index}`)
  }

  flat(data: readonly unknown[], path: string): void {
    for (let index = 0; index < data.length; index++) {
      const value = data[index]
      if (typeof value !== 'number')
        throw new ServiceError('not_a_number', 'expected a number', path + jsonPointer(index))
      if (!this.#isLegal(value))
        throw new ServiceError('out_of_range', `expected ${this.#expected}`, path + jsonPointer(index))
      this.#values[this.#at++] = value
    }
  }
}
