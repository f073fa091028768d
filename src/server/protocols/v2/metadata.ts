import type { Manifest } from '../../../model/bundle/manifest.js'
import { inputsOf, outputOf, type TensorSpec } from './tensors.js'

/** Extensions of the protocol that are served, by the names that clients look for. */
const EXTENSIONS = [
  'binary_tensor_data',
  'model_configuration',
  'model_repository',
  'schedule_policy',
  'statistics'
] as const

const PLATFORM = 'onnxruntime_onnx'

export function serverMetadata(version: string) {
  return { name: 'gru-inference', version, extensions: [...EXTENSIONS] }
}

const described = ({ name, datatype, dims }: TensorSpec) => ({ name, datatype, shape: [-1, ...dims] })

/** What a model takes and gives; the windows are the axis of no fixed size. */
export function modelMetadata(manifest: Manifest) {
  return {
    name: manifest.name,
    versions: [manifest.version],
    platform: PLATFORM,
    inputs: inputsOf(manifest).map(described),
    outputs: [described(outputOf(manifest))]
  }
}

const configured = ({ name, datatype, dims }: TensorSpec) => ({ name, data_type: `TYPE_${datatype}`, dims: [...dims] })

/** A model in the terms of Triton's model configuration, as far as they have a meaning here. */
export function modelConfig(manifest: Manifest, maxWindows: number) {
  return {
    name: manifest.name,
    platform: PLATFORM,
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: maxWindows,
    input: inputsOf(manifest).map(configured),
    output: [configured(outputOf(manifest))],
    dynamic_batching: {},
    default_model_filename: 'model.onnx'
  }
}

/** The one model that serves, as the repository's index lists it. */
export function repositoryIndex({ name, version }: Manifest, isReady: boolean) {
  const state = isReady ? 'READY' : 'UNAVAILABLE'
  return [{ name, version, state, reason: isReady ? '' : 'no worker can run the model at present' }]
}
