const PLAIN = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 })
const DATE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC'
})
const UNITS = /** @type {const} */ ([
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's']
])

/** A measured value, to six digits. @param {number} value */
export function number(value) {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) return scientific(value)
  return PLAIN.format(value)
}

/** @param {number} value */
function scientific(value) {
  const [digits = '', exponent] = value.toExponential(4).split('e')
  return `${Number(digits)} × 10${superscript(Number(exponent))}`
}

/** @param {number} exponent */
export function superscript(exponent) {
  return Array.from(String(exponent), digit => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('')
}

/** A manifest's unit for the eye: `index^2` with its exponent raised; `-` stands for none. @param {string} text */
export function unit(text) {
  return text === '-' ? '' : text.replace(/\^(-?\d+)/g, (_, exponent) => superscript(exponent))
}

/** A time as a person reads it; what is no time stays as it is. @param {string} text */
export function utc(text) {
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? text : `${DATE.format(time)} UTC`
}

/** A number of seconds in the largest unit that it fills: `2 min`, `36 h`. @param {number} seconds */
export function duration(seconds) {
  const [size, name] = UNITS.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 's']
  return `${seconds / size} ${name}`
}

/** How long ago, roughly: it must not change at every look. @param {string} iso */
export function ago(iso) {
  const seconds = (Date.now() - new Date(iso).getTime()) / 1000
  if (seconds < 120) return 'just now'
  const [size, name] = UNITS.find(([size]) => seconds >= 2 * size) ?? [60, 'min']
  return `${Math.floor(seconds / size)} ${name} ago`
}

/** A latency in seconds. @param {number} seconds */
export function latency(seconds) {
  if (seconds === 0) return '0 ms'
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`
  return `${(seconds * 1000).toPrecision(seconds < 0.0001 ? 2 : 3)} ms`
}

/** How many a second. @param {number} value */
export const rate = value =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value % 1 === 0 ? 0 : 1)
