import { getExample, getMaxSteps, postForecast } from './api.js'
import { formatBody, parseBody, windowRows, withSteps } from './body.js'
import { drawChart } from './chart.js'
import { byId, html, say } from './dom.js'
import { number, unit as readable } from './format.js'
import { failureWords, tableRows, timingEntries } from './result.js'
/** @import { Example, ForecastAnswer, Model } from './api.js' */
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

/** The form that sends a window and draws what comes back. The text in the body is what is sent, always. */
export class ForecastForm {
  /** @type {Model | undefined} */
  #model
  /** @type {Example | undefined} */
  #example
  /** @type {ForecastAnswer | undefined} of the body as it stands */
  #answer
  /** counts what was asked for, so that an answer that comes too late is not shown */
  #turn = 0

  constructor() {
    byId('forecast-form', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault()
      void this.#send()
    })
    body.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void this.#send()
    })
    example.addEventListener('change', () => void this.#load(example.valueAsNumber - 1))
    steps.addEventListener('input', () => this.#setSteps())
    body.addEventListener('input', () => this.#bodyChanged())
    feature.addEventListener('change', () => this.#draw())
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
    const [loaded] = await Promise.all([this.#load(0), this.#limitSteps()])
    if (!loaded) this.#model = undefined
  }

  async #limitSteps() {
    const most = await getMaxSteps().catch(() => undefined)
    if (most === undefined) return
    steps.max = String(most)
    say(byId('steps-hint', HTMLElement), `1 to ${most}`)
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
      body.value = formatBody(withSteps(loaded.body, steps.valueAsNumber || 1))
      body.rows = Math.min(30, body.value.split('\n').length + 1)
      this.#clear()
      return true
    } catch (error) {
      if (turn === this.#turn) this.#fail(error)
      return false
    }
  }

  #setSteps() {
    const parsed = parseBody(body.value)
    const wanted = steps.valueAsNumber
    if (parsed === undefined)
      return say(
        byId('body-hint', HTMLElement),
        'The body is not a JSON object, so the number of steps in the body stays.'
      )
    if (Number.isNaN(wanted)) return
    body.value = formatBody(withSteps(parsed, wanted))
    this.#clear()
  }

  #bodyChanged() {
    const length = parseBody(body.value)?.inference_length ?? 1
    if (typeof length === 'number') steps.value = String(length)
    this.#clear()
  }

  /** Forgets an answer that no longer belongs to the body. */
  #clear() {
    this.#turn++
    this.#answer = undefined
    failure.hidden = true
    timing.hidden = true
    say(outcome, '')
    say(byId('body-hint', HTMLElement), '')
    byId('answer', HTMLElement).textContent = 'No answer yet.'
    this.#draw()
  }

  async #send() {
    this.#clear()
    const turn = this.#turn
    controls.setAttribute('aria-busy', 'true')
    try {
      const { text, answer, serverTiming, roundTripMs } = await postForecast(body.value)
      if (turn !== this.#turn) return
      this.#answer = answer
      byId('answer', HTMLElement).textContent = text
      timing.replaceChildren(...timingEntries(serverTiming, roundTripMs))
      timing.hidden = false
      this.#draw()
      say(outcome, this.#summary(answer))
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

  /** @param {ForecastAnswer} answer */
  #summary({ predictions, model_version, warnings = [] }) {
    const { name, unit } = this.#feature()
    const first = /** @type {Record<string, unknown>} */ (predictions[0] ?? {})
    const words = `${name} at ${first.ts}: ${measure(first[name], unit)}, by version ${model_version}.`
    const expected = this.#showsExample() ? this.#example?.expected[name] : undefined
    const trainer = expected === undefined ? [] : [`The trainer forecast ${measure(expected, unit)}.`]
    return [words, ...trainer, ...warnings].join(' ')
  }

  /** Whether the body's rows are still the example's own. */
  #showsExample() {
    return this.#example && JSON.stringify(parseBody(body.value)?.data) === JSON.stringify(this.#example.body.data)
  }

  #feature() {
    const name = feature.value
    return { name, unit: this.#model?.features.find(each => each.name === name)?.unit ?? '' }
  }

  #draw() {
    if (!this.#model) return
    const { name, unit } = this.#feature()
    /** @type {Row[]} */
    const rows = windowRows(parseBody(body.value), this.#model, name)
    for (const prediction of this.#answer?.predictions ?? []) {
      const value = /** @type {Record<string, unknown>} */ (prediction)[name]
      rows.push({ time: prediction.ts, value: Number(value), part: 'forecast' })
    }
    drawChart(chart, { rows, name, unit })
    say(byId('table-feature', HTMLElement), [name, readable(unit)].filter(Boolean).join(', '))
    byId('rows', HTMLElement).replaceChildren(...tableRows(rows))
  }
}

/** @param {unknown} value @param {string} unit */
const measure = (value, unit) => `${number(Number(value))} ${readable(unit)}`.trim()

/** @param {Model} model */
const names = ({ features, target }) => JSON.stringify([target, ...features.map(({ name }) => name)])

/** @param {Model} model */
function showFeatures({ features, target }) {
  const options = features.map(({ name }) => html('option', name === target ? { selected: '' } : {}, name))
  feature.replaceChildren(...options)
}
