import type { CallForm } from '../../results/calls.js'
import type { Expectation } from '../expected.js'
import { batch } from './batch.js'
import { predict } from './predict.js'
import { v2Binary, v2Json } from './v2.js'

/** What a call sends. */
export interface CallRequest {
  body: string | Buffer
  /** beside `content-type: application/json`, or in its place */
  headers?: Record<string, string>
}

/** An answer with status 2xx. */
export interface CallAnswer {
  /** names and values by turns, as they came */
  headers: readonly string[]
  body: Buffer
}

/** The windows that the served model takes. */
export interface WindowForm {
  /** names in the order of the manifest */
  features: readonly string[]
  /** rows of a window */
  rows: number
}

/** A way in to the service: what it makes of windows, and what its answers say. */
export interface Protocol {
  /** Path of the route for the model of this name. */
  path(model: string): string
  /**
   * The request for windows that are given as bodies of `POST /predict`.
   * @throws BenchError `bad_flag` for a body that this protocol cannot carry
   */
  encode(bodies: readonly string[], form: WindowForm): CallRequest
  /** Error codes of the windows that failed in a 2xx answer. Left out: the protocol refuses a call as a whole. */
  failures?(answer: CallAnswer): string[]
  /** Whether an answer holds the expected forecast of every window, in the order of the call. */
  isExpected(answer: CallAnswer, expected: readonly Expectation[], form: WindowForm): boolean
}

export const PROTOCOLS: Record<CallForm['protocol'], Protocol> = {
  predict,
  batch,
  'v2-json': v2Json,
  'v2-binary': v2Binary
}
