import { byId, html, say } from './dom.js'
import { ago, duration, number, utc } from './format.js'
/** @import { Model, ModelAnswer } from './api.js' */

const STATES = { ready: 'Ready', unready: 'Not ready', gone: 'No answer, trying again', locked: 'An API key is needed' }

/** @param {keyof typeof STATES} state */
export function showStatus(state) {
  const status = byId('status', HTMLElement)
  status.dataset.state = state
  say(status, STATES[state])
  document.body.classList.toggle('gone', state === 'gone' || state === 'locked')
}

/** What serves, since when, how the last promotion ended, and what a shadow differs by. @param {ModelAnswer} answer */
export function showModel({ model, last_promotion: promotion, shadow }) {
  const title = model ? `${model.name}, version ${model.version}` : 'No model yet'
  say(byId('model-name', HTMLElement), title)
  if (document.title !== `${title} – gru-inference`) document.title = `${title} – gru-inference`
  showFacts('facts', [...(model ? modelFacts(model) : []), ['Last promotion', promotionText(promotion)]])
  showFacts('shadow', shadow ? shadowFacts(shadow) : [])
}

/** @param {string} id of the list @param {string[][]} facts name, text and, for an identifier, the whole of it */
function showFacts(id, facts) {
  const list = byId(id, HTMLElement)
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
    ['Training run', run_id, run_id],
    ['Digest of the model', `${sha256.slice(0, 12)}…`, `sha256 ${sha256}`],
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

/** A second version, which is only compared. @param {NonNullable<ModelAnswer['shadow']>} shadow @returns {string[][]} */
function shadowFacts({ model, alias, share, comparison }) {
  const what = model ? `version ${model.version}` : 'no version yet'
  return [
    ['Shadow', `${what} (${alias}), with ${number(100 * share)} % of the live rows`],
    ['Difference of the shadow', comparison ? comparisonText(comparison) : 'nothing compared yet']
  ]
}

const IDLE = {
  same_model: 'none: the shadow is the live model',
  other_signature: 'none: the shadow has other features or another window'
}

/** @param {NonNullable<NonNullable<ModelAnswer['shadow']>['comparison']>} comparison */
function comparisonText({ idle, rows, differences }) {
  if (idle) return IDLE[idle]
  const means = Object.entries(differences).map(([name, { mean_relative: mean }]) => ({ name, mean: mean ?? 0 }))
  const most = means.reduce((most, one) => (one.mean > most.mean ? one : most))
  return `${number(100 * most.mean)} % on average for ${most.name}, the largest of all features, over ${number(rows.compared)} rows`
}
