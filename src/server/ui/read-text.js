import { formatRequest, isBody, isObject, parseRequest, withSteps } from './body.js'
import { readCsv } from './csv.js'
import { objectOf, readLines, readPandas } from './pandas.js'
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
  const parsed = parse(text)
  const value = 'value' in parsed ? parsed.value : bodiesOfLines(parsed.lines)
  if (isBody(value)) return { text: formatRequest(value), names: [], note: 'Read a request body.' }
  if (Array.isArray(value) && value.some(isBody))
    return { text: formatRequest(value), names: [], note: `Read ${value.length} request bodies.` }
  const features = model.features.map(({ name }) => name)
  const table = 'lines' in parsed ? readLines(parsed.lines) : readPandas(value, features)
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

/** @param {string} text @returns {{ value: unknown } | { lines: string[] }} JSON, or lines of which each is an object */
function parse(text) {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    const lines = text.split('\n').filter(line => line.trim() !== '')
    if (lines.length > 1 && isObject(parseRequest(lines[0] ?? ''))) return { lines }
    throw new Unreadable(`This begins like JSON, but is not: ${error instanceof Error ? error.message : error}`)
  }
}

/** Lines of which the first is a body, as an array of bodies. @param {string[]} lines */
const bodiesOfLines = lines => (isBody(parseRequest(lines[0] ?? '')) ? lines.map(objectOf) : undefined)
