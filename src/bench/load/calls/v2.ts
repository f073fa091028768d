import { BenchError } from '../../errors.js'
import { type Expectation, isNear, parsed } from '../expected.js'
import type { CallAnswer, CallRequest, Protocol, WindowForm } from './protocol.js'

const HEADER_LENGTH = 'Inference-Header-Content-Length'
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT

/** A forecast request as `POST /predict` takes it, as far as it is read. */
interface Body {
  data?: Record<string, number[]>
  inference_length?: number
}

/** What is read of an answer of `POST /v2/models/M/infer`. */
interface Answer {
  model_version?: unknown
  outputs?: { name?: unknown; datatype?: unknown; shape?: unknown; data?: unknown }[]
}

/** The windows of a call as one tensor, [windows, rows, features]. */
interface Tensor {
  shape: number[]
  values: number[]
  /** what the request says beside the tensor */
  more: { parameters?: { inference_length: number } }
}

const path = (model: string): string => `/v2/models/${encodeURIComponent(model)}/infer`

/** The Open Inference Protocol V2 with numbers as JSON. */
export const v2Json: Protocol = {
  path,
  encode(bodies, form) {
    const { shape, values, more } = tensorOf(bodies, form)
    return { body: JSON.stringify({ ...more, inputs: [{ name: 'window', datatype: 'FP32', shape, data: values }] }) }
  },
  isExpected({ body }, expected, form) {
    const answer = parsed(body.toString()) as Answer | undefined
    const data = outputOf(answer, expected, form)?.data
    return Array.isArray(data) && isRight(answer, data.flat(Infinity), expected, form)
  }
}

/** The same protocol with binary tensors, in the request and in the answer. */
export const v2Binary: Protocol = {
  path,
  encode(bodies, form): CallRequest {
    const { shape, values, more } = tensorOf(bodies, form)
    const bytes = floatBytes(values)
    const input = { name: 'window', datatype: 'FP32', shape, parameters: { binary_data_size: bytes.length } }
    const outputs = [{ name: 'forecast', parameters: { binary_data: true } }]
    const header = Buffer.from(JSON.stringify({ ...more, inputs: [input], outputs }))
    return {
      body: Buffer.concat([header, bytes]),
      headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(header.length) }
    }
  },
  isExpected(answer, expected, form) {
    const length = headerLength(answer)
    const head = parsed(answer.body.subarray(0, length).toString()) as Answer | undefined
    if (!outputOf(head, expected, form)) return false
    return isRight(head, floatsIn(answer.body.subarray(length)), expected, form)
  }
}

/** The windows of bodies. @throws BenchError `bad_flag` for bodies that no tensor can hold */
function tensorOf(bodies: readonly string[], { features, rows }: WindowForm): Tensor {
  const tables = bodies.map(body => JSON.parse(body) as Body)
  const steps = new Set(tables.map(({ inference_length: steps = 1 }) => steps))
  if (steps.size > 1)
    throw new BenchError('bad_flag', 'the windows of one V2 call must ask for the same number of steps')
  const values = tables.flatMap(({ data }) => {
    const columns = features.map(name => data?.[name]?.slice(-rows) ?? [])
    if (columns.some(column => column.length < rows))
      throw new BenchError('bad_flag', `a V2 call needs ${rows} rows of each feature: ${features.join(', ')}`)
    return Array.from({ length: rows }, (_, row) => columns.map(column => column[row]!)).flat()
  })
  const [length] = [...steps] as [number]
  return {
    shape: [bodies.length, rows, features.length],
    values,
    more: length === 1 ? {} : { parameters: { inference_length: length } }
  }
}

function floatBytes(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * FLOAT_BYTES)
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * FLOAT_BYTES)
  return bytes
}

/** Little-endian; none of bytes that are no whole number of them. */
function floatsIn(bytes: Buffer): number[] {
  const count = bytes.length / FLOAT_BYTES
  if (!Number.isInteger(count)) return []
  return Array.from({ length: count }, (_, index) => bytes.readFloatLE(index * FLOAT_BYTES))
}

/** Bytes of the JSON before the tensor; 0 where the answer does not say. */
function headerLength({ headers }: CallAnswer): number {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === HEADER_LENGTH.toLowerCase())
  return at === -1 ? 0 : Number(headers[at + 1])
}

/** The output with the forecasts: `forecast` FP32 [windows, features], or [windows, steps, features] for several steps. */
function outputOf(answer: Answer | undefined, expected: readonly Expectation[], { features }: WindowForm) {
  const steps = stepsOf(expected)
  const shape = [expected.length, ...(steps === 1 ? [] : [steps]), features.length]
  const output = answer?.outputs?.find(({ name }) => name === 'forecast')
  return output?.datatype === 'FP32' && String(output.shape) === String(shape) ? output : undefined
}

/** Whether an answer has all values, each near the expected one, by the version that must answer. */
function isRight(
  answer: Answer | undefined,
  values: readonly unknown[],
  expected: readonly Expectation[],
  { features }: WindowForm
): boolean {
  const wanted = expected.flatMap(({ rows }) => rows.flatMap(row => features.map(name => row[name])))
  const isVersion = expected.every(({ version }) => version === undefined || answer?.model_version === version)
  return isVersion && values.length === wanted.length && wanted.every((want, index) => isNear(values[index], want))
}

const stepsOf = ([first]: readonly Expectation[]): number => first!.rows.length
