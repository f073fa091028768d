import type { TestBundle } from './bundles.js'

/** Windows [n, rows, features] as the bytes of little-endian float32, written value by value. */
export function bytesOf(windows: readonly (readonly (readonly number[])[])[]): Buffer {
  const values = windows.flat(2)
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes
}

/** The numbers in little-endian float32 bytes. */
export function floatsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

/** A row of values by the names of the features, as an answer of `/predict` has it, but for its time. */
export function namedRow({ manifest }: TestBundle, values: readonly number[]) {
  const named = manifest.features.map(({ name }, index) => [name, values[index]!] as const)
  return { ts: '', value: values[0]!, ...Object.fromEntries(named) }
}

/** Splits numbers into rows of one length. */
export function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width))
}

type Windows = readonly (readonly (readonly number[])[])[]

/** A `ModelInfer` request with windows as bytes. */
export function rawRequest({ manifest }: Pick<TestBundle, 'manifest'>, windows: Windows, more: object = {}) {
  return {
    model_name: manifest.name,
    inputs: [{ name: 'window', datatype: 'FP32', shape: [windows.length, manifest.window, manifest.features.length] }],
    raw_input_contents: [bytesOf(windows)],
    ...more
  }
}

/** The same request with the windows as lists of numbers. */
export function typedRequest({ manifest }: Pick<TestBundle, 'manifest'>, windows: Windows, more: object = {}) {
  const shape = [windows.length, manifest.window, manifest.features.length]
  return {
    model_name: manifest.name,
    inputs: [{ name: 'window', datatype: 'FP32', shape, contents: { fp32_contents: windows.flat(2) } }],
    ...more
  }
}
