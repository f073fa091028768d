/** @import { Model } from './api.js' */
/** @import { Row } from './chart.js' */
/** @typedef {Record<string, unknown>} Json */

/** @param {unknown} value @returns {value is Json} */
const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The body as an object, or undefined while its text is none. @param {string} text @returns {Json | undefined} */
export function parseBody(text) {
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** @param {Json} body @param {number} steps @returns {Json} */
export const withSteps = (body, steps) => ({ ...body, inference_length: steps })

/** JSON with one column a line, which a person can read and edit. @param {Json} body */
export function formatBody(body) {
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
 * @param {Json | undefined} body
 * @param {Model} model
 * @param {string} feature
 * @returns {Row[]}
 */
export function windowRows(body, { features, window }, feature) {
  const data = isObject(body?.data) ? body.data : {}
  const index =
    typeof body?.index_col === 'string'
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
