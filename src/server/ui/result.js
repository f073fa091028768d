import { Refusal } from './api.js'
import { html } from './dom.js'
import { latency, number, unit as readable } from './format.js'
/** @import { Outcome } from './api.js' */
/** @import { Row } from './chart.js' */
/** @import { Entry } from './windows.js' */
/** @typedef {{ name: string, unit: string }} Measured the feature that is looked at */

/** @param {unknown} value @param {string} unit */
const measure = (value, unit) => `${number(Number(value))} ${readable(unit)}`.trim()

/** @param {Extract<Outcome, { error: unknown }>} outcome */
const errorWords = ({ error: { code, message, path } }) => `${code}: ${message}${path ? ` at ${path}` : ''}`

/** What became of a window, in one line of a list. @param {Outcome | undefined} outcome @param {Measured} of @returns {Omit<Entry, 'name'>} */
export function outcomeWords(outcome, { name, unit }) {
  if (!outcome) return { words: 'no forecast yet', state: 'waiting' }
  if ('error' in outcome) return { words: errorWords(outcome), state: 'error' }
  const [first] = /** @type {Record<string, unknown>[]} */ (outcome.predictions)
  return { words: `${measure(first?.[name], unit)} at ${first?.ts}`, state: 'forecast' }
}

/**
 * What became of a window, in sentences.
 * @param {Outcome | undefined} outcome
 * @param {Measured} of
 * @param {number | undefined} expected by the trainer, where that is known
 */
export function summaryOf(outcome, { name, unit }, expected) {
  if (!outcome) return ''
  if ('error' in outcome) return `No forecast: ${errorWords(outcome)}`
  const { predictions, model_version, warnings = [] } = outcome
  const first = /** @type {Record<string, unknown>} */ (predictions[0] ?? {})
  const words = `${name} at ${first.ts}: ${measure(first[name], unit)}, by version ${model_version}.`
  const trainer = expected === undefined ? [] : [`The trainer forecast ${measure(expected, unit)}.`]
  return [words, ...trainer, ...warnings].join(' ')
}

/**
 * What went wrong, in the service's own words where it answered.
 * @param {unknown} error
 * @returns {(Node | string)[]}
 */
export function failureWords(error) {
  if (!(error instanceof Refusal)) return ['No answer from the service.']
  const { status, code, message, path, retryable } = error
  const words = [html('strong', {}, [status, code].filter(Boolean).join(' ')), ` ${message}`]
  if (path) words.push(' at ', html('code', {}, path))
  if (retryable) words.push('. The same request may succeed later.')
  return words
}

/**
 * @param {string} header `Server-Timing`
 * @param {number} roundTripMs
 */
export function timingEntries(header, roundTripMs) {
  const parts = Array.from(header.matchAll(/([\w-]+);dur=([\d.]+)/g), ([, name = '', ms]) => [name, Number(ms)])
  const entries = /** @type {[string, number][]} */ ([...parts, ['round trip', roundTripMs]])
  return entries.map(([name, ms]) => html('div', {}, html('dt', {}, name), html('dd', {}, latency(ms / 1000))))
}

/** The chart's rows for those who would rather read them. @param {Row[]} rows */
export function tableRows(rows) {
  return rows.map(({ time, value, part }) =>
    html('tr', {}, html('td', {}, time), html('td', { class: 'value' }, number(value)), html('td', {}, part))
  )
}
