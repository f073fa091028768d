import type { TestBundle } from './bundles.js'

export interface V2Input {
  name: string
  shape: number[]
  datatype: string
  data?: unknown
  parameters?: Record<string, unknown>
}

export interface V2Answer {
  error?: string
  model_name: string
  model_version: string
  id?: string
  parameters?: { warnings?: string; [key: string]: unknown }
  outputs: {
    name: string
    datatype: string
    shape: number[]
    data?: number[]
    parameters?: { binary_data_size: number }
  }[]
}

/** The inputs of a request with these golden windows, their values nested. */
export function v2Inputs({ manifest, golden }: TestBundle, windows: readonly number[]): V2Input[] {
  const of = windows.map(index => golden.windows[index]!)
  const count = windows.length
  const values = { name: 'window', datatype: 'FP32', data: of.map(({ window }) => window) }
  const minutes = { name: 'minute', datatype: 'INT32', data: of.map(({ time }) => time.map(minuteOf)) }
  const inputs = [{ ...values, shape: [count, manifest.window, manifest.features.length] }]
  return manifest.inputs.length > 1 ? [...inputs, { ...minutes, shape: [count, manifest.window] }] : inputs
}

/** Minutes since the epoch of a golden window's time, which has no zone and stands for UTC. */
const minuteOf = (time: string) => Math.floor(Date.parse(`${time}Z`) / 60_000)

/** A request whose values stand behind the JSON as little-endian bytes; `head` is put into the JSON, `pad` spaces behind it. */
export function v2Binary(inputs: readonly V2Input[], head: Record<string, unknown> = {}, pad = 0) {
  const parts = inputs.map(({ data, datatype }) => {
    const numbers = [data].flat(3) as number[]
    const bytes = Buffer.alloc(numbers.length * 4)
    for (const [at, value] of numbers.entries()) {
      if (datatype === 'INT32') bytes.writeInt32LE(value, at * 4)
      else bytes.writeFloatLE(value, at * 4)
    }
    return bytes
  })
  const described = inputs.map(({ data: _, ...input }, index) => ({
    ...input,
    parameters: { binary_data_size: parts[index]!.length }
  }))
  const json = Buffer.from(JSON.stringify({ ...head, inputs: described }) + ' '.repeat(pad))
  return { body: Buffer.concat([json, ...parts]), jsonLength: json.length }
}

/** The JSON and the values of a binary answer, by the length that its header tells. */
export function readV2Binary(bytes: Buffer, jsonLength: number): { json: V2Answer; values: number[] } {
  const json = JSON.parse(bytes.toString('utf8', 0, jsonLength)) as V2Answer
  const tail = bytes.subarray(jsonLength)
  return { json, values: Array.from({ length: tail.length / 4 }, (_, at) => tail.readFloatLE(at * 4)) }
}

/** Rows of a flat output of `width` values each. */
export function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width))
}
