/** @import { Model } from './api.js' */
/** @import { Row } from './chart.js' */
/** @typedef {Record<string, unknown>} Json */

/** @param {unknown} value @returns {value is Json} */
export const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether it is made like the body of `POST /predict`. @param {unknown} value @returns {value is Json} */
export const isBody = value => isObject(value) && isObject(value.data)

/** What a request is: one body, or an array of them, of which at least one is made like a body. @typedef {Json | unknown[]} Request */

/** The request as JSON, or undefined while its text is none. @param {string} text @returns {Request | undefined} */
export function parseRequest(text) {
  try {
    const value = JSON.parse(text)
    return isObject(value) || (Array.isArray(value) && value.some(isBody)) ? value : undefined
  } catch {
    return undefined
  }
}

/** Its bodies, in the order in which they are answered. @param {Request | undefined} request */
export const bodiesOf = request => (Array.isArray(request) ? request : request === undefined ? [] : [request])

/** @template {unknown} T @param {T} request @param {number} steps @returns {T} */
export function withSteps(request, steps) {
  if (Array.isArray(request)) return /** @type {T} */ (request.map(body => withSteps(body, steps)))
  return isObject(request) ? { ...request, inference_length: steps } : request
}

/** JSON with one column a line, which a person can read and edit. @param {unknown} request */
export function formatRequest(request) {
  return Array.isArray(request) ? `[\n${request.map(formatBody).join(',\n')}\n]` : formatBody(request)
}

/** @param {unknown} body */
function formatBody(body) {
  if (!isObject(body)) return JSON.stringify(body)
  const entries = Object.entries(body).map(([key, value]) => {
    const text = key === 'data' && isObject(value) ? block(Object.entries(value).map(entry), 2) : JSON.stringify(value)
    return `${JSON.stringify(key)}: ${text}`
  })
  return block(entries, 0)
}

/** @param {[string, unknown]} entry */
const entry = ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`

/** @param {string[]} lines @param {number} indent */
function block(lines, indent) {
  const pad = ' '.repeat(indent)
  return `{\n${lines.map(line => `${pad}  ${line}`).join(',\n')}\n${pad}}`
}

/**
 * The window in a body: the last rows of one feature, with their times.
 * @param {unknown} body
 * @param {Model} model
 * @param {string} feature
 * @returns {Row[]}
 */
export function windowRows(body, { features, window }, feature) {
  if (!isObject(body)) return []
  const data = isObject(body.data) ? body.data : {}
  const index =
    typeof body.index_col === 'string'
      ? body.index_col
      : Object.keys(data).find(key => features.every(({ name }) => name !== key))
  const times = index === undefined ? undefined : data[index]
  const values = data[feature]
  if (!Array.isArray(times) || !Array.isArray(values)) return []
  return times.slice(-window).map((time, row) => {
    const value = values[Math.max(0, times.length - window) + row]
    return { time: String(time), value: typeof value === 'number' ? value : NaN, part: 'window' }
  })
}
