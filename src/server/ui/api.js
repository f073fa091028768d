/** @import { paths } from '../../../examples/typescript/api.js' */

/** @typedef {paths['/model']['get']['responses'][200]['content']['application/json']} ModelAnswer */
/** @typedef {NonNullable<ModelAnswer['model']>} Model */
/** @typedef {paths['/model/example']['get']['responses'][200]['content']['application/json']} Example */
/** @typedef {paths['/predict']['post']['responses'][200]['content']['application/json']} ForecastAnswer */

const PATIENCE_MS = 5000
const FORECAST_PATIENCE_MS = 30_000

/** Where the tab keeps the key, as long as it is open. */
const KEPT = 'api-key'

/** Sends this key with every request from now on. @param {string} key */
export function useKey(key) {
  sessionStorage.setItem(KEPT, key)
}

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

/** @param {string} path @param {RequestInit} [options] */
async function ask(path, options) {
  const key = sessionStorage.getItem(KEPT)
  const headers = { ...options?.headers, ...(key && { 'x-api-key': key }) }
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const response = await fetch(path, { cache: 'no-store', signal, ...options, headers })
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

/** The largest number of steps that the service takes; undefined where its description does not say. */
export async function getMaxSteps() {
  const { components } = await (await ask('openapi.json')).json()
  return /** @type {number | undefined} */ (components.schemas.PredictRequest.properties.inference_length.maximum)
}

/** @param {string} body sent as it is, be it JSON or not */
export async function postForecast(body) {
  const began = performance.now()
  const headers = { 'content-type': 'application/json' }
  const response = await ask('predict', {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(FORECAST_PATIENCE_MS)
  })
  const text = await response.text()
  const roundTripMs = performance.now() - began
  const answer = /** @type {ForecastAnswer} */ (JSON.parse(text))
  return { text, answer, roundTripMs, serverTiming: response.headers.get('server-timing') ?? '' }
}
