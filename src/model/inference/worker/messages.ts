import type { TensorInfo } from '../../bundle/signature.js'
import type { RingShape } from '../ring/slots.js'

/** What main gives a worker at its start. */
export interface WorkerBoot {
  shape: RingShape
  buffer: SharedArrayBuffer
  /** which of the rings is this worker's */
  ring: number
  /** the verified bytes of model.onnx, shared, so that no second read can differ from what was verified */
  model: SharedArrayBuffer
  /** rows of a batch at the most */
  batchCap: number
  /** run when nobody else needs the processor */
  background: boolean
  /** whether the graph has the `minute` input */
  usesMinute: boolean
}

/** The session is loaded and the worker takes rows. */
interface WorkerReady {
  type: 'ready'
  inputs: TensorInfo[]
  outputs: TensorInfo[]
}

/** The session could not be created; the worker exits. */
interface WorkerFailed {
  type: 'failed'
  message: string
}

/** Batches that could not be run whole: the newest, and how many since the message before. */
export interface BatchFailure {
  type: 'batch_failed'
  rows: number
  cause: string
  batches: number
}

/** Why a row could not be run. It is on its way before its slot says that it failed. */
export interface RowFailure {
  type: 'row_failed'
  slot: number
  cause: string
}

/** Something was retired after main had asked to hear of it. A bare number: the cheapest message there is. */
export const WAKE = 0

export type WorkerMessage = WorkerReady | WorkerFailed | BatchFailure | RowFailure | typeof WAKE
