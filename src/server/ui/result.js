import { Refusal } from './api.js'
import { html } from './dom.js'
import { latency, number } from './format.js'
/** @import { Row } from './chart.js' */

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
