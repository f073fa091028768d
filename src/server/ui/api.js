import { apiKey, keyRefused, keyTaken } from './key.js'
/** @import { paths } from '../../../examples/typescript/api.js' */

/** @typedef {paths['/model']['get']['responses'][200]['content']['application/json']} ModelAnswer */
/** @typedef {NonNullable<ModelAnswer['model']>} Model */
/** @typedef {paths['/model/example']['get']['responses'][200]['content']['application/json']} Example */
/** @typedef {paths['/predict']['post']['responses'][200]['content']['application/json']} ForecastAnswer */
/** @typedef {paths['/predict/batch']['post']['responses'][200]['content']['application/json'][number]} Outcome of a window */
/** @typedef {{ steps?: number, rows: number, windows: number }} Limits the most that the service takes */

const PATIENCE_MS = 5000
const FORECAST_PATIENCE_MS = 30_000

/** An answer that is no success, in the service's own words. */
export class Refusal extends Error {
  /** @param {Response} response @param {unknown} body */
  constructor(response, body) {
    const { code, message, path, retryable } = /** @type {{ error?: Record<string, string> }} */ (body)?.error ?? {}
    super(message ?? (response.statusText || 'the answer does not come from the service'))
    this.status = response.status
    this.code = code
    this.path = path
    this.retryable = Boolean(retryable)
  }
}

/** @param {string} path @param {RequestInit & { headers?: Record<string, string> }} [options] */
async function ask(path, options) {
  const key = apiKey()
  const headers = { ...options?.headers, ...(key && { authorization: `Bearer ${key}` }) }
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const response = await fetch(path, { cache: 'no-store', signal, ...options, headers })
  if (response.status === 401) keyRefused(path, key)
  else keyTaken(path)
  if (response.ok) return response
  throw new Refusal(response, await response.json().catch(() => undefined))
}

/** @returns {Promise<ModelAnswer>} */
export const getModel = async () => (await ask('model')).json()

/** @param {number} index from 0 @returns {Promise<Example>} */
export const getExample = async index => (await ask(`model/example?index=${index}`)).json()

/** With the replica that they are of: a balancer may pass each look to another one. */
export async function getMetrics() {
  const response = await ask('metrics')
  return { text: await response.text(), replica: response.headers.get('x-replica') }
}

/** The most steps, rows and windows that the service takes. @returns {Promise<Limits>} */
export async function getLimits() {
  const { PredictRequest, PredictBatchRequest } = (await (await ask('openapi.json')).json()).components.schemas
  const { inference_length, data } = PredictRequest.properties
  return {
    steps: inference_length.maximum,
    rows: data.additionalProperties.maxItems,
    windows: PredictBatchRequest.maxItems
  }
}

/**
 * Asks for the forecast of a window, or of each of many.
 * @param {string} body sent as it is, be it JSON or not
 * @param {boolean} isBatch
 */
export async function postForecast(body, isBatch) {
  const began = performance.now()
  const response = await ask(isBatch ? 'predict/batch' : 'predict', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(FORECAST_PATIENCE_MS)
  })
  const text = await response.text()
  const roundTripMs = performance.now() - began
  const answer = /** @type {Outcome | Outcome[]} */ (JSON.parse(text))
  return { text, outcomes: [answer].flat(), roundTripMs, serverTiming: response.headers.get('server-timing') ?? '' }
}
