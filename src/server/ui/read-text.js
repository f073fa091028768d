import { formatRequest, isBody, isObject, parseRequest, withSteps } from './body.js'
import { readCsv } from './csv.js'
import { readPandas } from './pandas.js'
import { windowsOf } from './table.js'
import { Unreadable } from './unreadable.js'
/** @import { Limits, Model } from './api.js' */

/** @typedef {{ text: string, names: string[], note: string }} ReadRequest the body's text, the names of its windows, what was read */

/**
 * Turns what somebody has into the text of a request body: a CSV, what pandas wrote, a body, or an array of bodies.
 * @param {string} given
 * @param {{ model: Model, limits: Limits, steps: number }} to
 * @returns {ReadRequest}
 * @throws {Unreadable}
 */
export function readText(given, { model, limits, steps }) {
  const text = given.replace(/^\uFEFF/, '')
  if (!/^\s*[[{]/.test(text)) return fromTable(readCsv(text), { model, limits, steps })
  const value = parse(text)
  if (isBody(value)) return { text: formatRequest(value), names: [], note: 'Read a request body.' }
  if (Array.isArray(value) && value.some(isBody))
    return { text: formatRequest(value), names: [], note: `Read ${value.length} request bodies.` }
  const features = model.features.map(({ name }) => name)
  const table = readPandas(value, features)
  if (table) return fromTable(table, { model, limits, steps })
  throw new Unreadable('This JSON is neither a request body, nor an array of them, nor a table as pandas writes it.')
}

/** @param {import('./table.js').RawTable} table @param {{ model: Model, limits: Limits, steps: number }} to */
function fromTable(table, { model, limits, steps }) {
  const { windows, isBatch, note } = windowsOf(table, model, limits)
  const bodies = windows.map(({ body }) => body)
  const request = withSteps(isBatch ? bodies : bodies[0], steps)
  return { text: formatRequest(request), names: windows.map(({ name }) => name), note }
}

/** JSON, or records of which each stands on a line. @param {string} text @returns {unknown} */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    const records = recordsOf(text)
    if (records) return records
    throw new Unreadable(`This begins like JSON, but is none: ${error instanceof Error ? error.message : error}`)
  }
}

/** One object a line, or undefined where a line is none. @param {string} text */
function recordsOf(text) {
  const records = []
  for (const line of text.split('\n').filter(line => line.trim() !== '')) {
    const record = parseRequest(line)
    if (!isObject(record)) return undefined
    records.push(record)
  }
  return records
}
