import { getExample, getLimits, postForecast } from './api.js'
import { bodiesOf, formatRequest, isObject, parseRequest, windowRows, withSteps } from './body.js'
import { drawChart } from './chart.js'
import { byId, html, say } from './dom.js'
import { unit as readable } from './format.js'
import { OwnTable } from './own-table.js'
import { Readout } from './readout.js'
import { readText } from './read-text.js'
import { failureWords, outcomeWords, summaryOf, tableRows, timingEntries } from './result.js'
import { Takeaway } from './takeaway.js'
import { Unreadable } from './unreadable.js'
import { WindowList } from './windows.js'
/** @import { Example, Limits, Model, Outcome } from './api.js' */
/** @import { Request } from './body.js' */
/** @import { Row } from './chart.js' */

const controls = byId('controls', HTMLFieldSetElement)
const example = byId('example', HTMLInputElement)
const steps = byId('steps', HTMLInputElement)
const feature = byId('feature', HTMLSelectElement)
const body = byId('body', HTMLTextAreaElement)
const chart = byId('chart', SVGSVGElement)
const failure = byId('failure', HTMLElement)
const outcome = byId('outcome', HTMLElement)
const timing = byId('timing', HTMLElement)

/** The form that sends windows and draws what comes back. The text in the body is what is sent, always. */
export class ForecastForm {
  /** @type {Model | undefined} */
  #model
  /** @type {Limits} until the service has told its own, those that it has by default */
  #limits = { rows: 1000, windows: 256 }
  /** @type {Example | undefined} */
  #example
  /** @type {Request | undefined} what the body's text is */
  #request
  /** @type {string[]} names of the windows, where they came with names */
  #names = []
  /** @type {Outcome[]} of the body as it stands, one for each window */
  #outcomes = []
  /** counts what was asked for, so that an answer that comes too late is not shown */
  #turn = 0
  #table = new OwnTable(text => this.#readOwn(text))
  #windows = new WindowList(() => this.#show())
  #readout = new Readout(chart, byId('readout', HTMLElement))
  #takeaway = new Takeaway(() => ({ body: body.value, isBatch: Array.isArray(this.#request), names: this.#labels() }))

  constructor() {
    byId('forecast-form', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault()
      void this.#send()
    })
    for (const box of [body, byId('table', HTMLTextAreaElement)])
      box.addEventListener('keydown', event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void this.#send()
      })
    example.addEventListener('change', () => void this.#load(example.valueAsNumber - 1))
    steps.addEventListener('input', () => this.#setSteps())
    body.addEventListener('input', () => this.#bodyChanged())
    feature.addEventListener('change', () => this.#show())
    new ResizeObserver(() => this.#draw()).observe(chart)
  }

  /** Turns to the model that serves now; does nothing while that stays the same. @param {Model | null} model */
  async serve(model) {
    controls.disabled = !model
    const known = this.#model
    if (!model || model.sha256 === known?.sha256) return
    this.#model = model
    const sameShape = known?.window === model.window && names(known) === names(model)
    if (sameShape && !this.#showsExample()) {
      // What somebody typed is kept; the examples' answers are another version's.
      this.#example = undefined
      return this.#clear()
    }
    if (!sameShape) showFeatures(model)
    const [loaded] = await Promise.all([this.#load(0), this.#learnLimits()])
    if (!loaded) this.#model = undefined
  }

  async #learnLimits() {
    const limits = await getLimits().catch(() => undefined)
    if (limits === undefined) return
    this.#limits = limits
    steps.max = String(limits.steps)
    say(byId('steps-hint', HTMLElement), `1 to ${limits.steps}`)
  }

  /** Whether there is an example to work with now. @param {number} index from 0 */
  async #load(index) {
    const turn = ++this.#turn
    try {
      const loaded = await getExample(Number.isFinite(index) ? index : 0)
      if (turn !== this.#turn) return true
      this.#example = loaded
      example.max = String(loaded.count)
      example.value = String(loaded.index + 1)
      say(byId('example-hint', HTMLElement), `1 to ${loaded.count}`)
      this.#table.clear()
      this.#setBody(formatRequest(withSteps(loaded.body, steps.valueAsNumber || 1)), [])
      return true
    } catch (error) {
      if (turn === this.#turn) this.#fail(error)
      return false
    }
  }

  /** Another key is sent from now on: what was refused before says nothing more. */
  keyChanged() {
    failure.hidden = true
  }

  /** A table of one's own becomes the body. @param {string} given @returns {string} what was read */
  #readOwn(given) {
    if (!this.#model) throw new Unreadable('No model serves yet.')
    const to = { model: this.#model, limits: this.#limits, steps: steps.valueAsNumber || 1 }
    const { text, names, note } = readText(given, to)
    this.#setBody(text, names)
    return note
  }

  /** @param {string} text @param {string[]} names of its windows */
  #setBody(text, names) {
    body.value = text
    body.rows = Math.min(30, text.split('\n').length + 1)
    this.#names = names
    this.#windows.chosen = 0
    this.#bodyChanged()
  }

  #setSteps() {
    const wanted = steps.valueAsNumber
    if (this.#request === undefined)
      return say(
        byId('body-hint', HTMLElement),
        'The body is not a JSON object, so the number of steps in the body stays.'
      )
    if (Number.isNaN(wanted)) return
    body.value = formatRequest(withSteps(this.#request, wanted))
    this.#clear()
  }

  #bodyChanged() {
    const [first] = bodiesOf(parseRequest(body.value))
    const length = isObject(first) ? (first.inference_length ?? 1) : undefined
    if (typeof length === 'number') steps.value = String(length)
    this.#clear()
  }

  /** Forgets an answer that no longer belongs to the body. */
  #clear() {
    this.#turn++
    this.#request = parseRequest(body.value)
    say(byId('body-route', HTMLElement), `POST /predict${Array.isArray(this.#request) ? '/batch' : ''}`)
    this.#outcomes = []
    failure.hidden = true
    timing.hidden = true
    say(byId('body-hint', HTMLElement), '')
    byId('answer', HTMLElement).textContent = 'No answer yet.'
    this.#takeaway.answered(undefined)
    this.#show()
  }

  async #send() {
    // What somebody has put into the table's field is meant to be sent, so nothing else is.
    if (!this.#table.settle()) return
    this.#clear()
    const turn = this.#turn
    controls.setAttribute('aria-busy', 'true')
    try {
      const isBatch = Array.isArray(this.#request)
      const { text, outcomes, serverTiming, roundTripMs } = await postForecast(body.value, isBatch)
      if (turn !== this.#turn) return
      this.#outcomes = outcomes
      byId('answer', HTMLElement).textContent = text
      timing.replaceChildren(...timingEntries(serverTiming, roundTripMs))
      timing.hidden = false
      this.#takeaway.answered({ text, outcomes })
      this.#show()
    } catch (error) {
      if (turn === this.#turn) this.#fail(error)
    } finally {
      controls.removeAttribute('aria-busy')
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    failure.replaceChildren(...failureWords(error))
    failure.hidden = false
  }

  /** Whether the rows of the chosen window are the example's own. */
  #showsExample() {
    const chosen = bodiesOf(this.#request)[this.#windows.chosen]
    return this.#example && isObject(chosen) && JSON.stringify(chosen.data) === JSON.stringify(this.#example.body.data)
  }

  #feature() {
    const name = feature.value
    return { name, unit: this.#model?.features.find(each => each.name === name)?.unit ?? '' }
  }

  /** A name for each window. */
  #labels() {
    const bodies = bodiesOf(this.#request)
    const named = this.#names.length === bodies.length
    return bodies.map((_, index) => (named && this.#names[index]) || `window ${index + 1}`)
  }

  /** The windows of the request with what became of them, and the chosen one in words and in the chart. */
  #show() {
    const of = this.#feature()
    this.#windows.show(this.#labels().map((name, index) => ({ name, ...outcomeWords(this.#outcomes[index], of) })))
    const { chosen } = this.#windows
    const expected = this.#showsExample() ? this.#example?.expected[of.name] : undefined
    say(outcome, summaryOf(this.#outcomes[chosen], of, expected))
    this.#draw()
  }

  #draw() {
    if (!this.#model) return
    const { name, unit } = this.#feature()
    const { chosen } = this.#windows
    /** @type {Row[]} */
    const rows = windowRows(bodiesOf(this.#request)[chosen], this.#model, name)
    const became = this.#outcomes[chosen]
    for (const prediction of became && 'predictions' in became ? became.predictions : []) {
      const value = /** @type {Record<string, unknown>} */ (prediction)[name]
      rows.push({ time: prediction.ts, value: Number(value), part: 'forecast' })
    }
    this.#readout.update(drawChart(chart, { rows, name, unit }), readable(unit))
    say(byId('table-feature', HTMLElement), [name, readable(unit)].filter(Boolean).join(', '))
    byId('rows', HTMLElement).replaceChildren(...tableRows(rows))
  }
}

/** @param {Model} model */
const names = ({ features, target }) => JSON.stringify([target, ...features.map(({ name }) => name)])

/** @param {Model} model */
function showFeatures({ features, target }) {
  const options = features.map(({ name }) => html('option', name === target ? { selected: '' } : {}, name))
  feature.replaceChildren(...options)
  const columns = features.map(({ name }) => name).join(', ')
  say(byId('table-columns', HTMLElement), columns)
}
