import { number, unit as readable } from './format.js'
import { unreadableAt } from './unreadable.js'
/** @import { Model } from './api.js' */
/** @typedef {Model['features'][number]} Feature */

const MISSING = /^(|-|nan|nat|n\/?a|<na>|#n\/a|null|none)$/i
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const COMMA_NUMBER = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i
const INFINITE = /^[+-]?inf(inity)?$/i
const TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/
const EPOCH = /^(\d{9,19})(\.0+)?$/
/** Digits of a number of seconds, and of its finer kin. */
const UNITS = /** @type {const} */ ([
  [11, 'seconds'],
  [14, 'milliseconds'],
  [17, 'microseconds'],
  [20, 'nanoseconds']
])

/** @param {unknown} cell as a text without spaces around it */
const textOf = cell => (cell === null || cell === undefined ? '' : String(cell).trim())

/** @param {unknown} cell for the eye, however long it is */
function quoted(cell) {
  const text = typeof cell === 'object' ? JSON.stringify(cell) : textOf(cell)
  return `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`
}

/** Whether a cell holds a time; of a number only where `epoch` allows it. @param {unknown} cell @param {boolean} epoch */
export const looksLikeTime = (cell, epoch) => TIME.test(textOf(cell)) || (epoch && EPOCH.test(textOf(cell)))

/** A name in a cell. @param {unknown} cell @param {string} place @param {string} column */
export function readName(cell, place, column) {
  const text = textOf(cell)
  if (text === '') throw unreadableAt(place, column, 'the value is missing.')
  return text
}

/** Reads the numbers of a table, all with the same decimal mark. */
export class NumberReader {
  /** @type {Partial<Record<'comma' | 'point', string>>} where each mark was met first */
  marks = {}

  /** @param {boolean} decimalComma whether numbers may have one */
  constructor(decimalComma) {
    this.decimalComma = decimalComma
  }

  /** @param {unknown} cell @param {string} place @param {Feature} feature */
  read(cell, place, { name, unit, minimum, maximum }) {
    /** @param {string} words */
    const refuse = words => unreadableAt(place, name, words)
    const text = textOf(cell)
    if (MISSING.test(text)) throw refuse('the value is missing.')
    if (INFINITE.test(text)) throw refuse(`${quoted(cell)} is not a finite number.`)
    const value = this.#number(text, cell, place, refuse)
    if (!Number.isFinite(Math.fround(value))) throw refuse(`${quoted(cell)} is too large.`)
    const of = readable(unit) && ` (${readable(unit)})`
    if (value < minimum) throw refuse(`${quoted(cell)} is below ${number(minimum)}${of}, the smallest value.`)
    if (maximum !== undefined && value > maximum)
      throw refuse(`${quoted(cell)} is above ${number(maximum)}${of}, the largest value.`)
    return value
  }

  /** @param {string} text @param {unknown} cell @param {string} place @param {(words: string) => Error} refuse */
  #number(text, cell, place, refuse) {
    const isComma = COMMA_NUMBER.test(text)
    const isReadable = isComma ? this.decimalComma : NUMBER.test(text) && typeof cell !== 'boolean'
    if (!isReadable) throw refuse(`${quoted(cell)} is not a number.`)
    if (isComma || text.includes('.')) {
      this.marks[isComma ? 'comma' : 'point'] ??= place
      const { comma, point } = this.marks
      // A comma between thousands would be read as a decimal one.
      if (comma && point)
        throw refuse(
          `${quoted(cell)} has a decimal ${isComma ? 'comma' : 'point'}, but ${lower(isComma ? point : comma)} has the other mark.`
        )
    }
    return Number(text.replace(',', '.'))
  }
}

/** Reads the times of a window: increasing, and all with a zone or none. */
export class TimeReader {
  /** @type {{ place: string, nanos: bigint, zoned: boolean } | undefined} */
  #before
  /** @type {string | undefined} the unit, where times were numbers */
  epoch

  /** @param {string} column its name @param {string} hint what to do where times do not increase */
  constructor(column, hint) {
    this.column = column
    this.hint = hint
  }

  /** The time as the service takes it. @param {unknown} cell @param {string} place */
  read(cell, place) {
    /** @param {string} words */
    const refuse = words => unreadableAt(place, this.column, words)
    const given = textOf(cell)
    if (MISSING.test(given)) throw refuse('the time is missing.')
    const text = this.#ofEpoch(given) ?? given
    const match = TIME.exec(text)
    const nanos = match && nanosOf(match)
    if (nanos === null || nanos === undefined)
      throw refuse(`${quoted(cell)} is not a time such as 2018-02-28T05:54:00.`)
    const now = { place, nanos, zoned: /[Zz]$|[+-]\d\d:?(\d\d)?$/.test(text.slice(16)) }
    const before = this.#before
    this.#before = now
    if (!before) return text
    if (before.zoned !== now.zoned)
      throw refuse(`${quoted(cell)} has ${now.zoned ? 'a' : 'no'} zone, unlike the time before.`)
    if (nanos === before.nanos) throw refuse(`${quoted(cell)} is the time of ${lower(before.place)} too.${this.hint}`)
    if (nanos < before.nanos)
      throw refuse(`${quoted(cell)} is earlier than the time of ${lower(before.place)}.${this.hint}`)
    return text
  }

  /** A number since 1970 as a time in UTC; undefined for any other text. @param {string} text */
  #ofEpoch(text) {
    const digits = EPOCH.exec(text)?.[1]
    if (digits === undefined) return undefined
    const [most, unit] = UNITS.find(([most]) => digits.length <= most) ?? UNITS[3]
    this.epoch = unit
    const seconds = digits.padStart(most, '0').slice(0, 11)
    const fraction = digits.slice(digits.length - (most - 11)).replace(/0+$/, '')
    const iso = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
    return `${iso}${most > 11 && fraction ? `.${fraction}` : ''}Z`
  }
}

/** @param {string} place within a sentence */
const lower = place => place.toLowerCase()

/** Nanoseconds since 1970, or undefined for a day or an hour that is none. @param {RegExpExecArray} match of `TIME` */
function nanosOf([, date = '', minutes = '', seconds = ':00', fraction = '', zulu, hours, zoneMinutes = '00']) {
  const zone = zulu !== undefined || hours === undefined ? 'Z' : `${hours}:${zoneMinutes}`
  const ms = Date.parse(`${date}T${minutes}${seconds}${zone}`)
  // A day that its month does not have is rolled over into the next.
  const isDay = !Number.isNaN(ms) && new Date(`${date}T00:00Z`).toISOString().startsWith(date)
  return !isDay ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
