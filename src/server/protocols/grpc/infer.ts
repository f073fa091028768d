import type { Forecast } from '../../../model/inference/forecast.js'
import { outputShape, outputValues, answerParameters } from '../v2/answers.js'
import { infer } from '../v2/infer.js'
import { namedModel } from '../v2/models.js'
import { outputOf } from '../v2/tensors.js'
import type { Context } from '../../context.js'
import { mostWindows } from '../../predict/batch.js'
import { isRaw } from './contents.js'
import { readInfer } from './infer-request.js'
import type { ModelInferRequest, ModelInferResponse } from './messages.js'
import type { Answer } from './unary.js'

/** `ModelInfer`: all windows of a call, or none. The client's deadline, where it is sooner than ours, holds in the ring too. */
export function modelInfer(context: Context) {
  const { config } = context
  const limits = { maxSteps: config.MAX_STEPS, maxWindows: mostWindows(config) }
  return (asked: ModelInferRequest, answer: Answer<ModelInferResponse>): void => {
    const { model_name: name, model_version: version } = asked
    const model = namedModel(context, { model: name, version })
    const request = readInfer(asked, model.pool.bundle.manifest, limits)
    const timeoutMs = Math.min(request.timeoutMs ?? Infinity, answer.patienceMs)
    const order = { context, model, request: { ...request, timeoutMs }, began: answer.began }
    const batch = infer(order, {
      forecasted: forecasts => answer.answered(responseOf(forecasts, asked, request.steps)),
      failed: error => answer.failed(error)
    })
    answer.cancel = () => batch.cancel()
  }
}

/** In the form of the request: bytes for bytes, numbers for numbers. */
function responseOf(forecasts: readonly Forecast[], asked: ModelInferRequest, steps: number): ModelInferResponse {
  const { manifest } = forecasts[0]!.order.pool.bundle
  const { name, datatype } = outputOf(manifest)
  const output = { name, datatype, shape: outputShape(manifest, forecasts.length, steps) }
  const { warnings } = answerParameters(steps) ?? {}
  const head = {
    model_name: manifest.name,
    model_version: manifest.version,
    id: asked.id,
    ...(warnings !== undefined && { parameters: { warnings: { string_param: warnings } } })
  }
  return isRaw(asked)
    ? { ...head, outputs: [output], raw_output_contents: [new Uint8Array(outputValues(forecasts).buffer)] }
    : { ...head, outputs: [{ ...output, contents: { fp32_contents: forecasts.flatMap(({ values }) => values) } }] }
}
