import { byId, html, say } from './dom.js'
import { ago, duration, utc } from './format.js'
/** @import { Model, ModelAnswer } from './api.js' */

const STATES = { ready: 'Ready', unready: 'Not ready', gone: 'No answer, retrying' }

/** @param {keyof typeof STATES} state */
export function showStatus(state) {
  const status = byId('status', HTMLElement)
  status.dataset.state = state
  say(status, STATES[state])
  document.body.classList.toggle('gone', state === 'gone')
}

/** What serves, since when, and how the last promotion ended. @param {ModelAnswer} answer */
export function showModel({ model, last_promotion: promotion }) {
  const title = model ? `${model.name}, version ${model.version}` : 'No model yet'
  say(byId('model-name', HTMLElement), title)
  if (document.title !== `${title} – gru-inference`) document.title = `${title} – gru-inference`
  const facts = [...(model ? modelFacts(model) : []), ['Last promotion', promotionText(promotion)]]
  const list = byId('facts', HTMLElement)
  const shown = JSON.stringify(facts)
  // Rebuilt only when it says something else: a selection in it must not be lost every two seconds.
  if (list.dataset.shown === shown) return
  list.dataset.shown = shown
  list.replaceChildren(
    ...facts.map(([name = '', text = '', full]) =>
      html('div', {}, html('dt', {}, name), html('dd', full === undefined ? {} : { title: full, class: 'code' }, text))
    )
  )
}

/** @param {Model} model @returns {string[][]} name, text and, for an identifier, the whole of it */
function modelFacts({ architecture, features, window, frequency_seconds, run_id, sha256, created_at, since }) {
  const { type, hidden_size, num_layers } = architecture
  return [
    ['Serving since', `${utc(since)} (${ago(since)})`],
    ['Architecture', `${type}, ${num_layers} ${num_layers === 1 ? 'layer' : 'layers'} of ${hidden_size}`],
    ['Window', `${window} rows × ${features.length} features, ${duration(frequency_seconds)} apart`],
    ['Run', run_id, run_id],
    ['Digest', `${sha256.slice(0, 12)}…`, `sha256 ${sha256}`],
    ['Created', utc(created_at)]
  ]
}

/** @param {ModelAnswer['last_promotion']} promotion */
function promotionText(promotion) {
  if (!promotion) return 'none yet'
  const { outcome, version, reason, message, at } = promotion
  const what = `${version === undefined ? '' : `version ${version} `}${outcome}`
  const why = reason === undefined ? '' : `: ${reason}${message === undefined ? '' : `, ${message}`}`
  return `${what}, ${utc(at)}${why}`
}
