import { ServiceError } from '../../../errors.js'
import { type Manifest, usesMinute } from '../../../model/bundle/manifest.js'
import type { WindowTensor } from '../../../model/inference/window.js'

/** A tensor as the protocol names it: `datatype` is FP32 or INT32, `dims` the sizes of one window, without the batch axis. */
export interface TensorSpec {
  readonly name: string
  readonly datatype: 'FP32' | 'INT32'
  readonly dims: readonly number[]
}

/** A tensor of a request, in whichever way it came. */
export interface GivenTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  /** JSON pointer, or a name, by which an error tells where the tensor stands */
  readonly path: string
  /** The values as little-endian bytes of the tensor's datatype, as many as `shape` says. Throws a `ServiceError`. */
  bytes(spec: TensorSpec): Uint8Array
}

/** The windows of a request. */
export interface Windows {
  readonly tensor: WindowTensor
  /** the batch axis */
  readonly count: number
}

/** Bytes of a value of either datatype. */
export const VALUE_BYTES = 4

/** What a model takes: its windows, and the minutes since the epoch of their rows where the graph wants them. */
export function inputsOf(manifest: Manifest): readonly TensorSpec[] {
  const { window, features } = manifest
  const values: TensorSpec = { name: 'window', datatype: 'FP32', dims: [window, features.length] }
  return usesMinute(manifest) ? [values, { name: 'minute', datatype: 'INT32', dims: [window] }] : [values]
}

/** What a model gives: one row of features a window. */
export function outputOf({ features }: Manifest): TensorSpec {
  return { name: 'forecast', datatype: 'FP32', dims: [features.length] }
}

/** Values of a tensor of these sizes. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1)
}

/**
 * The windows of a request, from tensors in any order. Their values are not looked at yet.
 * @throws ServiceError for a tensor that the model does not take, or of another shape or datatype, and for one that is missing
 */
export function readWindows(manifest: Manifest, given: readonly GivenTensor[], most: number): Windows {
  const specs = inputsOf(manifest)
  const bytes = new Map<string, Uint8Array>()
  let count: number | undefined
  for (const tensor of given) {
    const { name, path } = tensor
    const spec = specs.find(one => one.name === name)
    if (!spec) throw new ServiceError('unknown_field', `the model has no input ${shown(name)}: ${listed(specs)}`, path)
    if (bytes.has(name)) throw new ServiceError('duplicate_key', `the input ${name} is given twice`, path)
    const windows = countOf(tensor, spec, most)
    if (count !== undefined && count !== windows) {
      throw new ServiceError('ragged_columns', `the inputs differ in their batch sizes: ${count} and ${windows}`, path)
    }
    count = windows
    bytes.set(name, tensor.bytes(spec))
  }
  const missing = specs.find(({ name }) => !bytes.has(name))
  if (missing) throw new ServiceError('missing_field', `the input ${missing.name} is missing: ${listed(specs)}`)
  return { tensor: { values: bytes.get('window')!, minutes: bytes.get('minute') }, count: count! }
}

function listed(specs: readonly TensorSpec[]): string {
  return `the model takes ${specs.map(spec => `${spec.name} ${spec.datatype} ${shapeText(spec)}`).join(' and ')}`
}

function shapeText({ dims }: TensorSpec): string {
  return `[n, ${dims.join(', ')}]`
}

/** How many windows a tensor of this shape holds. */
function countOf({ name, datatype, shape, path }: GivenTensor, spec: TensorSpec, most: number): number {
  if (datatype !== spec.datatype) {
    throw new ServiceError('wrong_type', `${name} has the datatype ${shown(datatype)}: expected ${spec.datatype}`, path)
  }
  const [count = 0, ...dims] = shape
  if (dims.length !== spec.dims.length || dims.some((length, axis) => length !== spec.dims[axis])) {
    const text = `${name} has the shape [${shown(shape.join(', '))}]: expected ${shapeText(spec)}`
    throw new ServiceError('out_of_range', text, path)
  }
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new ServiceError('out_of_range', `${name} has ${count} windows: expected 1 to ${most}`, path)
}

const MAX_SHOWN = 64

/** A caller's own text, cut short. */
function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text
}
