import { ServiceError } from '../../../errors.js'
import { jsonPointer } from '../../../json-pointer.js'
import type { Manifest } from '../../../model/bundle/manifest.js'
import type { InferLimits, InferRequest } from '../v2/infer-request.js'
import { outputOf, readWindows } from '../v2/tensors.js'
import { givenTensors } from './contents.js'
import type { InferParameter, ModelInferRequest } from './messages.js'

const MICROS_A_MS = 1000

/**
 * What a `ModelInfer` call asks for.
 * @throws ServiceError that points to the element at fault
 */
export function readInfer(request: ModelInferRequest, manifest: Manifest, limits: InferLimits): InferRequest {
  const { parameters, outputs } = request
  refuseSequence(parameters)
  refuseOutputs(outputs, manifest)
  const windows = readWindows(manifest, givenTensors(request), limits.maxWindows)
  const steps = whole(parameters, 'inference_length', 1, limits.maxSteps) ?? 1
  const timeout = whole(parameters, 'timeout', 0, Number.MAX_SAFE_INTEGER) ?? 0
  const priority = whole(parameters, 'priority', 0, Number.MAX_SAFE_INTEGER) ?? 0
  return { windows, steps, timeoutMs: timeout === 0 ? undefined : timeout / MICROS_A_MS, isLater: priority > 1 }
}

/** A parameter that is a whole number; undefined where it is not given. */
function whole(parameters: ModelInferRequest['parameters'], name: string, least: number, most: number) {
  const given = parameters[name]
  if (given === undefined) return undefined
  const path = jsonPointer('parameters', name)
  const { parameter_choice: choice } = given
  if (choice !== 'int64_param' && choice !== 'uint64_param') {
    throw new ServiceError('wrong_type', 'expected an int64_param or a uint64_param', path)
  }
  const value = given[choice]!
  if (value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new ServiceError('out_of_range', `expected a whole number ${range}`, path)
}

function refuseSequence({ sequence_id: id }: ModelInferRequest['parameters']): void {
  if (id === undefined || !valueOf(id)) return
  const text = 'sequences are not supported: each request is forecast by its own windows'
  throw new ServiceError('bad_request', text, '/parameters/sequence_id')
}

function valueOf(parameter: InferParameter): unknown {
  return parameter.parameter_choice && parameter[parameter.parameter_choice]
}

function refuseOutputs(outputs: ModelInferRequest['outputs'], manifest: Manifest): void {
  const { name: only } = outputOf(manifest)
  for (const [index, { name, parameters }] of outputs.entries()) {
    const path = `/outputs/${index}`
    if (name !== only) throw new ServiceError('unknown_field', `the model gives ${only} and no other output`, path)
    if (parameters.shared_memory_region) {
      throw new ServiceError('bad_request', 'shared memory is not supported: the values come in the answer', path)
    }
    if (parameters.classification) {
      const text = 'classification is for outputs of classes: this output is numbers'
      throw new ServiceError('bad_request', text, path)
    }
  }
}
