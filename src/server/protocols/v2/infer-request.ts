import type { ValidateFunction } from 'ajv'
import { ServiceError } from '../../../errors.js'
import type { Manifest } from '../../../model/bundle/manifest.js'
import { exactly } from '../../../validate.js'
import type { Config } from '../../../settings/config.js'
import { mostWindows } from '../../predict/batch.js'
import { parseJsonBody } from '../../predict/json-body.js'
import { bytesOfJson } from './numbers.js'
import { type InferBody, inferBody } from './schemas.js'
import { type GivenTensor, outputOf, readWindows, type TensorSpec, VALUE_BYTES, type Windows } from './tensors.js'

/** What a request of the protocol asks for, in whichever way it came. */
export interface InferRequest {
  readonly windows: Windows
  /** rows to forecast of each window */
  readonly steps: number
  /** ms that the caller gives the request; undefined for as long as the service has it */
  readonly timeoutMs: number | undefined
  /** the caller lets others go first */
  readonly isLater: boolean
}

/** A request over HTTP, and how its answer is to be written. */
export interface RestInferRequest extends InferRequest {
  /** the caller's, to be given back; undefined where there is none */
  readonly id: string | undefined
  /** the values come after the JSON, as bytes */
  readonly isBinary: boolean
}

export interface InferLimits {
  maxSteps: number
  maxWindows: number
}

const HEADER_LENGTH = /^[1-9]\d{0,9}$/
/** Objects, arrays and keys of a body beside those of its data. */
const OTHER_PARTS = 300

/** The reader of a service with these settings. */
export function inferReader(config: Config): InferReader {
  return new InferReader({ maxSteps: config.MAX_STEPS, maxWindows: mostWindows(config) })
}

/** Reads the bodies of `POST .../infer`: JSON, and the bytes of tensors behind it (Triton's binary tensor data extension). */
export class InferReader {
  readonly #limits: InferLimits
  // Made for the first request: building it would cost every start some milliseconds.
  #validate: ValidateFunction<InferBody> | undefined

  constructor(limits: InferLimits) {
    this.#limits = limits
  }

  /** `headerLength`: the header `Inference-Header-Content-Length`. Throws a `ServiceError` that points to the element at fault. */
  read(body: Buffer, headerLength: string | undefined, manifest: Manifest): RestInferRequest {
    const { maxWindows } = this.#limits
    const length = headerLength === undefined ? body.length : headerBytes(headerLength, body.length)
    const json = parseHead(body.subarray(0, length), OTHER_PARTS + maxWindows * (manifest.window + 1))
    const asked = this.#checked(json)
    const tail = new Tail(body.subarray(length))
    const windows = readWindows(manifest, givenTensors(asked, tail), maxWindows)
    tail.mustBeRead()
    const { inference_length: steps = 1, timeout = 0, priority = 0 } = asked.parameters ?? {}
    refuseSequence(asked)
    return {
      windows,
      steps,
      timeoutMs: timeout === 0 ? undefined : timeout / 1000,
      isLater: priority > 1,
      id: asked.id,
      isBinary: wishesBinary(asked, manifest)
    }
  }

  #checked(json: unknown): InferBody {
    this.#validate ??= exactly.compile<InferBody>(inferBody(this.#limits.maxSteps))
    if (this.#validate(json)) return json
    const { instancePath, keyword, message, params } = this.#validate.errors![0]!
    const path = instancePath === '' ? undefined : instancePath
    if (keyword === 'required') throw new ServiceError('missing_field', `${params.missingProperty} is missing`, path)
    throw new ServiceError(keyword === 'type' ? 'wrong_type' : 'out_of_range', `the value ${message}`, path)
  }
}

function parseHead(json: Buffer, maxParts: number): unknown {
  try {
    return parseJsonBody(json, maxParts)
  } catch (error) {
    const { code, message, path } = error as ServiceError
    if (code !== 'invalid_utf8') throw error
    const text = `${message}: where bytes follow the JSON, Inference-Header-Content-Length says how long the JSON is`
    throw new ServiceError(code, text, path)
  }
}

function headerBytes(header: string, bytes: number): number {
  const length = HEADER_LENGTH.test(header) ? Number(header) : NaN
  if (length <= bytes) return length
  const text = 'Inference-Header-Content-Length: expected the number of bytes of the JSON, at most those of the body'
  throw new ServiceError('bad_request', text)
}

/** The bytes behind the JSON, which the inputs divide among them in their order. */
class Tail {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(length: number, path: string): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) {
      const text = `binary_data_size is ${length}, but ${this.#bytes.length - this.#at} bytes are left behind the JSON`
      throw new ServiceError('out_of_range', text, path)
    }
    return this.#bytes.subarray(this.#at, (this.#at = end))
  }

  mustBeRead(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new ServiceError('bad_request', `the body has ${left} bytes that belong to no input`)
  }
}

type GivenInput = InferBody['inputs'][number]

function givenTensors({ inputs }: InferBody, tail: Tail): GivenTensor[] {
  return inputs.map((input, index) => {
    const path = `/inputs/${index}`
    const { name, datatype, shape } = input
    // Taken at once: the bytes stand in the order of the inputs, whatever becomes of these.
    const binary = binaryOf(input, tail, path)
    return { name, datatype, shape, path, bytes: spec => binary?.(spec) ?? jsonBytes(input, spec, path) }
  })
}

/** The bytes of an input that come behind the JSON; undefined where its values stand in the JSON. */
function binaryOf({ data, shape, parameters = {} }: GivenInput, tail: Tail, path: string) {
  if (parameters.shared_memory_region !== undefined) throw noSharedMemory(path)
  const { binary_data_size: size } = parameters
  if (size === undefined) return undefined
  if (data !== undefined) throw new ServiceError('bad_request', 'both data and binary_data_size are given', path)
  const bytes = tail.take(size, path)
  return ({ name }: TensorSpec) => {
    const expected = shape.reduce((product, length) => product * length, VALUE_BYTES)
    if (size === expected) return bytes
    throw new ServiceError('ragged_columns', `${name} has ${size} bytes: expected ${expected} for its shape`, path)
  }
}

function jsonBytes({ data, shape }: GivenInput, spec: TensorSpec, path: string): Uint8Array {
  if (data === undefined) throw new ServiceError('missing_field', 'data is missing', path)
  return bytesOfJson(data, shape, spec, `${path}/data`)
}

/** How the caller wants the one output: what an output says of itself goes before what the request says of all. */
function wishesBinary({ outputs = [], parameters = {} }: InferBody, manifest: Manifest): boolean {
  const { name: only } = outputOf(manifest)
  let wish = parameters.binary_data_output ?? false
  for (const [index, { name, parameters: own = {} }] of outputs.entries()) {
    const path = `/outputs/${index}`
    if (name !== only) throw new ServiceError('unknown_field', `the model gives ${only} and no other output`, path)
    if (own.shared_memory_region !== undefined) throw noSharedMemory(path)
    if (own.classification !== undefined) {
      throw new ServiceError('bad_request', 'classification is for outputs of classes: this output is numbers', path)
    }
    wish = own.binary_data ?? wish
  }
  return wish
}

function noSharedMemory(path: string): ServiceError {
  return new ServiceError('bad_request', 'shared memory is not supported: send the values in the request', path)
}

function refuseSequence({ parameters = {} }: InferBody): void {
  const { sequence_id: id } = parameters
  if (id === undefined || id === 0 || id === '') return
  const text = 'sequences are not supported: each request is forecast by its own windows'
  throw new ServiceError('bad_request', text, '/parameters/sequence_id')
}
