import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { TensorInfo } from '../../bundle/signature.js'

/** Reusable input of a batch: views of `rows` rows over memory that the caller fills. */
export interface BatchInput {
  /** [rows, windowRows, featureCount] */
  window: Float32Array
  /** [rows, windowRows], if the graph takes times */
  minute?: Int32Array
}

/** What the worker needs of a loaded model; one file knows onnxruntime. */
export interface ForecastSession {
  readonly inputs: TensorInfo[]
  readonly outputs: TensorInfo[]
  /** Runs `rows` windows and returns [rows, featureCount] in raw units. */
  run(input: BatchInput, rows: number, windowRows: number): Promise<Float32Array>
  release(): Promise<void>
}

function describe(metadata: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.map(value =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: [...value.shape] }
      : { name: value.name, type: 'not a tensor', shape: [] }
  )
}

/**
 * Loads a graph from bytes. One intra-op thread: two are slower at every batch size of this model, and the workers are
 * the parallelism. A zero-length dimension aborts the whole process inside onnxruntime, so `run` refuses it.
 */
export async function openSession(model: Uint8Array): Promise<ForecastSession> {
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    // Left to itself onnxruntime takes bytes with the mark of its own format for that, and nothing inspects what is in there.
    extra: { session: { load_model_format: 'ONNX' } }
  })
  return {
    inputs: describe(session.inputMetadata),
    outputs: describe(session.outputMetadata),
    async run({ window, minute }, rows, windowRows) {
      if (
        rows < 1 ||
        windowRows < 1 ||
        window.length < rows * windowRows ||
        window.length % (rows * windowRows) !== 0
      ) {
        throw new RangeError(`a batch of ${rows} rows x ${windowRows} with ${window.length} values cannot be run`)
      }
      const featureCount = window.length / (rows * windowRows)
      const feeds: Record<string, Tensor> = { window: new Tensor('float32', window, [rows, windowRows, featureCount]) }
      if (minute) feeds.minute = new Tensor('int32', minute, [rows, windowRows])
      const result = await session.run(feeds)
      return result.forecast?.data as Float32Array
    },
    release: () => session.release()
  }
}
