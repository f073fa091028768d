import { say, svg } from './dom.js'
import { number } from './format.js'
/** @import { Drawn } from './chart.js' */

const HINT = 'Point at the chart, or focus it and use the arrow keys, to read its values.'
/** How far a key goes among so many rows, from row `at`. @type {Record<string, (at: number, count: number) => number>} */
const KEYS = {
  ArrowLeft: at => at - 1,
  ArrowDown: at => at - 1,
  ArrowRight: at => at + 1,
  ArrowUp: at => at + 1,
  PageDown: at => at - 5,
  PageUp: at => at + 5,
  Home: () => 0,
  End: (_, count) => count - 1
}

/** Says the row of a chart that the pointer or the keyboard is at. To a screen reader the chart is a slider over its rows. */
export class Readout {
  /** @type {Drawn | undefined} */
  #drawn
  #unit = ''
  /** @type {number | undefined} the row that is shown, from 0 */
  #row

  /** @param {SVGSVGElement} chart @param {HTMLElement} output */
  constructor(chart, output) {
    this.chart = chart
    this.output = output
    for (const name of /** @type {const} */ (['pointermove', 'pointerdown']))
      chart.addEventListener(name, event => this.#pointed(event.clientX - chart.getBoundingClientRect().left))
    chart.addEventListener('pointerleave', ({ pointerType }) => {
      // A finger leaves as soon as it is lifted: what it pointed at stays.
      if (pointerType === 'mouse' && document.activeElement !== chart) this.#show(undefined)
    })
    chart.addEventListener('focus', () => this.#show(this.#row ?? this.#last()))
    chart.addEventListener('blur', () => this.#show(undefined))
    chart.addEventListener('keydown', event => this.#pressed(event))
  }

  /** After each drawing. @param {Drawn | undefined} drawn @param {string} unit readable */
  update(drawn, unit) {
    this.#drawn = drawn
    this.#unit = unit
    const roles = { role: drawn ? 'slider' : 'img', tabindex: drawn ? '0' : '-1' }
    for (const [name, value] of Object.entries(roles)) this.chart.setAttribute(name, value)
    const row = this.#row === undefined || !drawn ? undefined : Math.min(this.#row, this.#last())
    this.#show(document.activeElement === this.chart && drawn ? (row ?? this.#last()) : row)
  }

  #last() {
    return (this.#drawn?.rows.length ?? 1) - 1
  }

  /** @param {number} x pixels from the left of the chart */
  #pointed(x) {
    if (!this.#drawn) return
    const { rows, frame } = this.#drawn
    const far = rows.map((_, row) => Math.abs(frame.x(row) - x))
    this.#show(far.indexOf(Math.min(...far)))
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const move = KEYS[event.key]
    if (!move || !this.#drawn || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const last = this.#last()
    this.#show(Math.min(last, Math.max(0, move(this.#row ?? last, last + 1))))
  }

  /** @param {number | undefined} row */
  #show(row) {
    this.#row = row
    this.chart.querySelector('.cursor')?.remove()
    const shown = row === undefined ? undefined : this.#drawn?.rows[row]
    const words = shown && `${shown.time}: ${number(shown.value)} ${this.#unit}`.trim() + `, ${shown.part}`
    say(this.output, words ?? (this.#drawn ? HINT : ''))
    this.output.classList.toggle('hint', shown === undefined)
    this.#tell(words)
    if (!this.#drawn || row === undefined || !shown) return
    const { x, y, top, bottom } = this.#drawn.frame
    const line = svg('line', { x1: x(row), x2: x(row), y1: top, y2: bottom })
    const point = svg('circle', { cx: x(row), cy: y(shown.value), r: 6 })
    this.chart.append(svg('g', { class: `cursor ${shown.part}` }, line, point))
  }

  /** The slider's value. @param {string | undefined} words */
  #tell(words) {
    const last = this.#last()
    const attributes = this.#drawn
      ? {
          'aria-valuemin': '1',
          'aria-valuemax': String(last + 1),
          'aria-valuenow': String((this.#row ?? last) + 1),
          'aria-valuetext': words ?? HINT
        }
      : {}
    for (const name of ['aria-valuemin', 'aria-valuemax', 'aria-valuenow', 'aria-valuetext'])
      this.chart.removeAttribute(name)
    for (const [name, value] of Object.entries(attributes)) this.chart.setAttribute(name, value)
  }
}
