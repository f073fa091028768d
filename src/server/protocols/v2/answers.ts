import type { Manifest } from '../../../model/bundle/manifest.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import { FAR_AHEAD, GOOD_STEPS } from '../../predict/answer.js'
import type { RestInferRequest } from './infer-request.js'
import { outputOf } from './tensors.js'

/** The header that tells the bytes of the JSON in a body. */
export const HEADER_LENGTH = 'inference-header-content-length'

/** Sizes of the output: a row a window, or as many as were asked for. */
export function outputShape({ features }: Manifest, windows: number, steps: number): number[] {
  return steps === 1 ? [windows, features.length] : [windows, steps, features.length]
}

/** [windows, steps, features] as float32, flat. */
export function outputValues(forecasts: readonly Forecast[]): Float32Array {
  const size = forecasts[0]!.values.length
  const values = new Float32Array(forecasts.length * size)
  for (const [index, forecast] of forecasts.entries()) values.set(forecast.values, index * size)
  return values
}

/** What the answer says beside the forecasts; undefined where there is nothing. */
export function answerParameters(steps: number): { warnings: string } | undefined {
  return steps > GOOD_STEPS ? { warnings: FAR_AHEAD } : undefined
}

/** The JSON of an answer; with `data` of the output in it, or `binary_data_size` of what comes behind it. */
function answerJson(forecasts: readonly Forecast[], asked: RestInferRequest, data: string): string {
  const { manifest } = forecasts[0]!.order.pool.bundle
  const { steps } = asked
  const { name, datatype } = outputOf(manifest)
  const parameters = answerParameters(steps)
  const head = JSON.stringify({
    model_name: manifest.name,
    model_version: manifest.version,
    ...(asked.id !== undefined && { id: asked.id }),
    ...(parameters && { parameters })
  })
  const shape = outputShape(manifest, forecasts.length, steps)
  return `${head.slice(0, -1)},"outputs":[{"name":"${name}","datatype":"${datatype}","shape":[${shape.join()}],${data}}]}`
}

/** An answer all in JSON. */
export function jsonAnswer(forecasts: readonly Forecast[], asked: RestInferRequest): string {
  return answerJson(forecasts, asked, `"data":[${forecasts.map(({ values }) => values.join()).join()}]`)
}

/** An answer with the values behind the JSON, and the bytes of the JSON. */
export function binaryAnswer(
  forecasts: readonly Forecast[],
  asked: RestInferRequest
): { body: Buffer; jsonBytes: number } {
  const { buffer } = outputValues(forecasts)
  const json = answerJson(forecasts, asked, `"parameters":{"binary_data_size":${buffer.byteLength}}`)
  const head = Buffer.from(json)
  return { body: Buffer.concat([head, new Uint8Array(buffer)]), jsonBytes: head.length }
}
