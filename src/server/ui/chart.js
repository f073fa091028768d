import { svg } from './dom.js'
import { number, superscript, unit as readable } from './format.js'

/** @typedef {{ time: string, value: number, part: 'window' | 'forecast' }} Row */
/** @typedef {{ rows: Row[], name: string, unit: string }} Series */
/**
 * Where things go: `x` of a row by its index, `y` of a value, and the edges of the plot.
 * @typedef {{
 *   x: (index: number) => number,
 *   y: (value: number) => number,
 *   left: number,
 *   right: number,
 *   top: number,
 *   bottom: number
 * }} Frame
 */

const MARGIN = { left: 46, right: 12, top: 26, bottom: 40 }
const ZONE = /(Z|[+-]\d\d(?::?\d\d)?)$/

/** @typedef {{ rows: Row[], frame: Frame }} Drawn */

/**
 * Draws the rows of one feature, window and forecast, at the size that the element has.
 * @param {SVGSVGElement} chart
 * @param {Series} series
 * @returns {Drawn | undefined} what was drawn where; undefined where there is nothing
 */
export function drawChart(chart, series) {
  const { width, height } = chart.getBoundingClientRect()
  // Not laid out yet: it is drawn again when it has a size.
  if (width < MARGIN.left + MARGIN.right || height < MARGIN.top + MARGIN.bottom) return undefined
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
  const rows = series.rows.filter(({ value }) => Number.isFinite(value))
  chart.setAttribute('aria-label', describe(series, rows))
  if (rows.length === 0) {
    chart.replaceChildren()
    return undefined
  }
  const ticks = niceTicks(rows.map(({ value }) => value))
  const frame = frameOf(rows, ticks, { width, height })
  chart.replaceChildren(
    ...forecastBand(rows, frame),
    ...valueAxis(ticks, series, frame),
    ...timeAxis(rows, frame),
    ...lines(rows, frame),
    ...points(rows, series, frame)
  )
  return { rows, frame }
}

/** @param {Series} series @param {Row[]} rows */
function describe({ name }, rows) {
  const count = (/** @type {Row['part']} */ part) => rows.filter(row => row.part === part).length
  if (rows.length === 0) return `No rows of ${name} to draw`
  const values = rows.map(row => row.value)
  const range = `from ${number(Math.min(...values))} to ${number(Math.max(...values))}`
  return `Line chart of ${name}: ${count('window')} rows of the window and ${count('forecast')} of the forecast, ${range}`
}

/** Round values over the range of `values`, and over zero where that is near. @param {number[]} values */
function niceTicks(values) {
  let low = Math.min(...values)
  let high = Math.max(...values)
  if (low > 0 && low < high / 2) low = 0
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 10, high + Math.abs(high) / 10]
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough) ?? 10)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.ceil(high / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

/** @param {Row[]} rows @param {number[]} ticks @param {{ width: number, height: number }} size @returns {Frame} */
function frameOf(rows, ticks, { width, height }) {
  const times = rows.map(({ time }) => toMs(time))
  // Where a time cannot be read, or does not increase, the rows stand at equal distances.
  const increasing = times.every((time, index) => index === 0 || time > (times[index - 1] ?? NaN))
  const places = increasing ? times : times.map((_, index) => index)
  const [first = 0, last = 0] = [places[0], places.at(-1)]
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)]
  const edges = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom }
  const inner = edges.right - edges.left - 16
  return {
    ...edges,
    x: index =>
      edges.left + 8 + (last === first ? inner / 2 : (((places[index] ?? first) - first) / (last - first)) * inner),
    y: value => edges.bottom - ((value - low) / (high - low)) * (edges.bottom - edges.top)
  }
}

/** A time without a zone is UTC, as the service reads it. @param {string} time */
function toMs(time) {
  const iso = time.replace(' ', 'T')
  return Date.parse(ZONE.test(iso.slice(11)) ? iso : `${iso}Z`)
}

/** @param {Row[]} rows @param {Frame} frame */
function forecastBand(rows, { x, left, right, top, bottom }) {
  const first = rows.findIndex(row => row.part === 'forecast')
  if (first === -1) return []
  const start = first === 0 ? left : x(first - 1)
  return [svg('rect', { x: start, y: top, width: right - start, height: bottom - top, class: 'band' })]
}

/** @param {number[]} ticks @param {Series} series @param {Frame} frame */
function valueAxis(ticks, { name, unit }, { y, left, right }) {
  const largest = Math.max(...ticks.map(Math.abs))
  const exponent = largest >= 1e4 || largest < 1e-2 ? 3 * Math.floor(Math.log10(largest) / 3) : 0
  const scale = exponent === 0 ? '' : `10${superscript(exponent)} `
  const label = [name, (scale + readable(unit)).trim()].filter(Boolean).join(', ')
  const title = svg('text', { x: 0, y: 12, class: 'axis-title' }, label)
  const marks = ticks.flatMap(tick => [
    svg('line', { x1: left, x2: right, y1: y(tick), y2: y(tick), class: 'grid' }),
    svg(
      'text',
      { x: left - 7, y: y(tick) + 4, class: 'tick value' },
      number(Number((tick / 10 ** exponent).toPrecision(6)))
    )
  ])
  return [title, ...marks]
}

/** @param {Row[]} rows @param {Frame} frame */
function timeAxis(rows, { x, left, right, bottom }) {
  const times = rows.map(({ time }) => time)
  const spacing = (toMs(times.at(-1) ?? '') - toMs(times[0] ?? '')) / Math.max(1, times.length - 1)
  const [from, to, room] = spacing < 60_000 ? [11, 19, 76] : spacing < 86_400_000 ? [11, 16, 56] : [0, 10, 96]
  const every = Math.ceil(times.length / Math.max(1, Math.floor((right - left) / room)))
  const marks = times.flatMap((time, index) => {
    if (index % every !== 0) return []
    const tick = svg('line', { x1: x(index), x2: x(index), y1: bottom, y2: bottom + 4, class: 'axis' })
    return [tick, svg('text', { x: x(index), y: bottom + 17, class: 'tick' }, time.slice(from, to))]
  })
  const title = svg('text', { x: (left + right) / 2, y: bottom + 35, class: 'axis-title middle' }, timeTitle(times))
  return [svg('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis' }), ...marks, title]
}

/** The days that the times cover and their zone. @param {string[]} times */
function timeTitle(times) {
  const first = times[0]?.slice(0, 10) ?? ''
  const last = times.at(-1)?.slice(0, 10) ?? ''
  const zone = ZONE.exec(times[0]?.slice(11) ?? '')?.[1] ?? 'Z'
  return `${first === last ? first : `${first} to ${last}`}, ${zone === 'Z' ? 'UTC' : `UTC${zone}`}`
}

/** Two lines that meet at the window's last row. @param {Row[]} rows @param {Frame} frame */
function lines(rows, { x, y }) {
  const split = rows.findIndex(row => row.part === 'forecast')
  const end = split === -1 ? rows.length : split
  /** @param {number} from @param {number} to */
  const path = (from, to) =>
    rows
      .slice(from, to)
      .map((row, index) => `${x(from + index)},${y(row.value)}`)
      .join(' ')
  const drawn = [svg('polyline', { points: path(0, end), class: 'line window' })]
  if (split !== -1)
    drawn.push(svg('polyline', { points: path(Math.max(0, split - 1), rows.length), class: 'line forecast' }))
  return drawn
}

/** @param {Row[]} rows @param {Series} series @param {Frame} frame */
function points(rows, { unit }, { x, y }) {
  return rows.map(({ time, value, part }, index) => {
    const words = `${time}: ${number(value)} ${readable(unit)}`.trim()
    return svg('circle', { cx: x(index), cy: y(value), r: 3.5, class: `point ${part}` }, svg('title', {}, words))
  })
}
