import { ModelRefused } from '../../errors.js'
import type { Manifest } from './manifest.js'

/** A graph input or output as the session reports it; a dynamic dimension is its symbolic name. */
export interface TensorInfo {
  name: string
  type: string
  shape: (number | string)[]
}

function show(tensors: readonly TensorInfo[]): string {
  return tensors.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join('; ')
}

/** Same names, types and sizes; a named dimension is dynamic and fits another name. */
function same(expected: readonly TensorInfo[], actual: readonly TensorInfo[]): boolean {
  if (expected.length !== actual.length) return false
  return expected.every(want => {
    const have = actual.find(tensor => tensor.name === want.name)
    if (!have || have.type !== want.type || have.shape.length !== want.shape.length) return false
    return want.shape.every((size, axis) =>
      typeof size === 'string' ? typeof have.shape[axis] === 'string' : size === have.shape[axis]
    )
  })
}

/** Compares the graph's tensors with the manifest's, and the manifest's with the contract of docs/reference/model-bundle.md. */
export function checkSignature(manifest: Manifest, graph: { inputs: TensorInfo[]; outputs: TensorInfo[] }): void {
  const width = manifest.features.length
  const window: TensorInfo = { name: 'window', type: 'float32', shape: ['batch', manifest.window, width] }
  const minute: TensorInfo = { name: 'minute', type: 'int32', shape: ['batch', manifest.window] }
  const inputs = manifest.inputs.some(input => input.name === 'minute') ? [window, minute] : [window]
  const outputs: TensorInfo[] = [{ name: 'forecast', type: 'float32', shape: ['batch', width] }]
  for (const [what, actual] of [
    ['model.json', manifest],
    ['the graph', graph]
  ] as const) {
    for (const [side, want, have] of [
      ['inputs', inputs, actual.inputs],
      ['outputs', outputs, actual.outputs]
    ] as const) {
      if (!same(want, have)) {
        throw new ModelRefused('signature_mismatch', `${side} of ${what}: expected ${show(want)}, got ${show(have)}`)
      }
    }
  }
}
