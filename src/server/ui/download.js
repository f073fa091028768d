import { html } from './dom.js'
/** @import { Outcome } from './api.js' */

/**
 * The forecasts as a CSV that the page can read again: times and features, the name of the window before them where there are several,
 * and, where a window has an error, a line that says so.
 * @param {Outcome[]} outcomes
 * @param {string[]} names of the windows
 */
export function forecastCsv(outcomes, names) {
  const isBatch = names.length > 1
  const hasErrors = outcomes.some(outcome => 'error' in outcome)
  const rows = outcomes.flatMap((outcome, index) => rowsOf(outcome, isBatch ? { cell: names[index] } : {}))
  const first = rows.find(row => 'ts' in row) ?? {}
  // `value` repeats a feature.
  const columns = [...(isBatch ? ['cell'] : []), ...Object.keys(first).filter(key => key !== 'cell' && key !== 'value')]
  if (hasErrors) columns.push('error')
  const lines = rows.map(row => columns.map(column => csvField(row[column])).join(','))
  return [columns.map(csvField).join(','), ...lines, ''].join('\r\n')
}

/** @param {Outcome} outcome @param {Record<string, unknown>} named @returns {Record<string, unknown>[]} */
function rowsOf(outcome, named) {
  if ('error' in outcome) return [{ ...named, error: `${outcome.error.code}: ${outcome.error.message}` }]
  return outcome.predictions.map(prediction => ({ ...named, ...prediction }))
}

/** @param {unknown} value */
function csvField(value) {
  const text = value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The file given last: a browser may still read it, so it is let go with the next one. */
let lastUrl = ''

/** Gives the browser a file to save. @param {string} name @param {string} type @param {string} text */
export function download(name, type, text) {
  URL.revokeObjectURL(lastUrl)
  lastUrl = URL.createObjectURL(new Blob([text], { type }))
  html('a', { href: lastUrl, download: name }).click()
}
