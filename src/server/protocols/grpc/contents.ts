import { ServiceError } from '../../../errors.js'
import { sizeOf, type GivenTensor, type TensorSpec, VALUE_BYTES } from '../v2/tensors.js'
import type { InferInputTensor, InferTensorContents, ModelInferRequest } from './messages.js'

/** Whether the call's tensors come as bytes; its answer comes in the same form. */
export function isRaw({ raw_input_contents: raw }: ModelInferRequest): boolean {
  return raw.length > 0
}

/**
 * The tensors of a call. Raw ones are views of the frame that came in.
 * @throws ServiceError where contents come in both forms, or raw ones are not one for each input
 */
export function givenTensors(request: ModelInferRequest): GivenTensor[] {
  const { inputs, raw_input_contents: raw } = request
  if (isRaw(request)) refuseOthers(inputs, raw.length)
  return inputs.map((input, index) => {
    const { name, datatype, shape, parameters } = input
    const path = `/inputs/${index}`
    if (parameters.shared_memory_region) {
      throw new ServiceError('bad_request', 'shared memory is not supported: send the values in the request', path)
    }
    const own = raw[index]
    const bytes = (spec: TensorSpec) => (own ? wholeBytes(own, shape, spec, index) : listedBytes(input, spec, path))
    return { name, datatype, shape, path, bytes }
  })
}

function refuseOthers(inputs: readonly InferInputTensor[], raw: number): void {
  const both = inputs.findIndex(({ contents }) => contents !== null)
  if (both !== -1) {
    const text = 'contents must be left out where raw_input_contents are sent'
    throw new ServiceError('bad_request', text, `/inputs/${both}/contents`)
  }
  if (raw === inputs.length) return
  const text = `expected one element for each of the ${inputs.length} inputs, got ${raw}`
  throw new ServiceError('ragged_columns', text, '/raw_input_contents')
}

function wholeBytes(bytes: Uint8Array, shape: readonly number[], { name }: TensorSpec, index: number): Uint8Array {
  const expected = sizeOf(shape) * VALUE_BYTES
  if (bytes.length === expected) return bytes
  const text = `${name} has ${bytes.length} bytes: expected ${expected} for its shape`
  throw new ServiceError('ragged_columns', text, `/raw_input_contents/${index}`)
}

/** The field of the contents for each datatype that a model takes. */
const FIELDS = { FP32: 'fp32_contents', INT32: 'int_contents' } as const satisfies Record<
  TensorSpec['datatype'],
  keyof InferTensorContents
>

function listedBytes({ contents, shape }: InferInputTensor, { name, datatype }: TensorSpec, path: string): Uint8Array {
  const field = FIELDS[datatype]
  if (contents === null) throw new ServiceError('missing_field', `${name} has no contents`, path)
  const other = Object.entries(contents).find(([key, values]) => key !== field && values.length > 0)
  if (other) throw new ServiceError('wrong_type', `${name} has ${other[0]}: expected ${field}`, `${path}/contents`)
  const values = contents[field]
  const expected = sizeOf(shape)
  if (values.length !== expected) {
    const text = `${name} has ${values.length} values: expected ${expected} for its shape`
    throw new ServiceError('ragged_columns', text, `${path}/contents/${field}`)
  }
  const { buffer } = datatype === 'FP32' ? Float32Array.from(values) : Int32Array.from(values)
  return new Uint8Array(buffer)
}
