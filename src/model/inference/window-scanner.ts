import { type Manifest, usesMinute } from '../bundle/manifest.js'
import { NumberScanner } from './number-scanner.js'
import { MAX_SPACING_MS, parsePlainBytes, PLAIN_LENGTH } from './timestamps.js'

/** A table that was read straight from the bytes of a body, with every check of `WindowReader`. */
export interface ScannedTable {
  /** [windowRows, featureCount] as float32, row by row */
  readonly values: readonly number[]
  /** ms since the epoch, a row each */
  readonly times: readonly number[]
  /** the last time as it was written */
  readonly lastText: string
  /** rows to forecast */
  readonly steps: number
}

const SPACE = 32
const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
const LENGTH = /^([1-9]\d{0,3})(?!\d)/
/** More features than bits of a number would need another way to see that a column stands twice. */
const MAX_FEATURES = 31
/** Bytes of a body, far more than one of this shape has. */
const MAX_TEXT = 65_536

/**
 * Reads the one shape that nearly all requests have: a table of exactly the window's rows, plain times, no escapes, each key once. A
 * request costs a third of what parsing, the look for keys that stand twice, the schema and the checks of each column cost.
 * Everything else, valid or not, is left to the strict path, which also words the errors: what the scanner takes, the
 * strict path takes as well, with the same bits (test/unit/model/inference/window-scanner.test.ts).
 */
export class WindowScanner {
  readonly #rows: number
  readonly #indexNames: readonly string[]
  readonly #featureOf: ReadonlyMap<string, number>
  /** each name in quotes, as it stands in most bodies */
  readonly #keys: readonly Buffer[]
  readonly #minimum: Float32Array
  readonly #maximum: Float32Array
  readonly #numbers = new NumberScanner()
  readonly #isAble: boolean
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  // Plain arrays: a typed one takes longer to make than a request takes to fill it.
  #values: number[] = []
  #times: number[] = []
  #lastText = ''
  #steps = 0
  /** what `index_col` says */
  #named: string | undefined
  /** the column of the times */
  #index: string | undefined

  constructor(manifest: Manifest, indexNames: readonly string[]) {
    const { features } = manifest
    const names = features.map(({ name }) => name)
    this.#rows = manifest.window
    this.#indexNames = indexNames
    this.#featureOf = new Map(names.map((name, feature) => [name, feature]))
    this.#keys = names.map(name => Buffer.from(`"${name}"`))
    this.#minimum = Float32Array.from(features, feature => feature.minimum)
    this.#maximum = Float32Array.from(features, feature => feature.maximum ?? Infinity)
    const isNamedAlike = names.some(name => indexNames.includes(name))
    this.#isAble = features.length <= MAX_FEATURES && !isNamedAlike && !usesMinute(manifest)
  }

  /** The table of a body that asks for at most `maxSteps`; undefined for everything that is not of this one shape. */
  scan(body: Buffer, maxSteps: number): ScannedTable | undefined {
    if (!this.#isAble || body.length > MAX_TEXT) return undefined
    this.#bytes = body
    this.#at = 0
    this.#values = new Array<number>(this.#rows * this.#keys.length)
    this.#times = new Array<number>(this.#rows)
    return this.#body(maxSteps)
  }

  #body(maxSteps: number): ScannedTable | undefined {
    this.#steps = 0
    this.#named = undefined
    this.#index = undefined
    if (!this.#takes(OPEN_OBJECT)) return undefined
    do {
      if (!this.#member()) return undefined
    } while (this.#takes(COMMA))
    if (!this.#takes(CLOSE_OBJECT)) return undefined
    this.#skip()
    const isWhole = this.#at === this.#bytes.length && this.#index !== undefined
    const isNamed = this.#named === undefined || this.#named === this.#index
    if (!isWhole || !isNamed || this.#steps > maxSteps) return undefined
    return { values: this.#values, times: this.#times, lastText: this.#lastText, steps: this.#steps || 1 }
  }

  /** One of the three fields, which may stand once; false for anything else. */
  #member(): boolean {
    const key = this.#string()
    if (!this.#takes(COLON)) return false
    if (key === 'data' && this.#index === undefined) return (this.#index = this.#data()) !== undefined
    if (key === 'index_col' && this.#named === undefined) return (this.#named = this.#string()) !== undefined
    if (key === 'inference_length' && this.#steps === 0) return (this.#steps = this.#length()) !== 0
    return false
  }

  /** The columns; the name of that of the times, undefined unless every column is there once and right. */
  #data(): string | undefined {
    let seen = 0
    let index: string | undefined
    let expected = 0
    if (!this.#takes(OPEN_OBJECT)) return undefined
    do {
      this.#skip()
      // As a rule the columns stand in the manifest's order.
      const key = this.#keys[expected]
      let feature: number | undefined = expected
      if (key !== undefined && this.#startsWith(key)) this.#at += key.length
      else {
        const name = this.#string()
        if (name === undefined) return undefined
        feature = this.#featureOf.get(name)
        if (feature === undefined) {
          if (index !== undefined || !this.#indexNames.includes(name)) return undefined
          index = name
        }
      }
      if (!this.#takes(COLON)) return undefined
      if (feature === undefined) {
        if (!this.#readTimes()) return undefined
      } else {
        const bit = 1 << feature
        if ((seen & bit) !== 0 || !this.#readColumn(feature)) return undefined
        seen |= bit
        expected = feature + 1
      }
    } while (this.#takes(COMMA))
    const all = (1 << this.#keys.length) - 1
    return this.#takes(CLOSE_OBJECT) && seen === all ? index : undefined
  }

  #readColumn(feature: number): boolean {
    const bytes = this.#bytes
    const values = this.#values
    const numbers = this.#numbers
    const width = this.#keys.length
    const minimum = this.#minimum[feature]!
    const maximum = this.#maximum[feature]!
    const end = this.#rows * width
    if (!this.#takes(OPEN_LIST)) return false
    for (let at = feature; at < end; at += width) {
      if (at > feature && !this.#takes(COMMA)) return false
      if (bytes[this.#at]! <= SPACE) this.#skip()
      const value = numbers.read(bytes, this.#at)
      // NaN compares with nothing; Infinity is above every stated maximum but not above none.
      if (!(value >= minimum && value <= maximum && value < Infinity)) return false
      values[at] = value
      this.#at = numbers.end
    }
    return this.#takes(CLOSE_LIST)
  }

  #readTimes(): boolean {
    const bytes = this.#bytes
    if (!this.#takes(OPEN_LIST)) return false
    let previous = -Infinity
    for (let row = 0; row < this.#rows; row++) {
      if (row > 0 && !this.#takes(COMMA)) return false
      if (bytes[this.#at]! <= SPACE) this.#skip()
      const at = this.#at + 1
      const end = at + PLAIN_LENGTH
      if (bytes[at - 1] !== QUOTE || bytes[end] !== QUOTE) return false
      const time = parsePlainBytes(bytes, at)
      if (!(time > previous) || (row > 0 && time - previous > MAX_SPACING_MS)) return false
      this.#times[row] = previous = time
      this.#at = end + 1
    }
    this.#lastText = bytes.toString('latin1', this.#at - 1 - PLAIN_LENGTH, this.#at - 1)
    return this.#takes(CLOSE_LIST)
  }

  /** A whole number from 1 without sign, fraction or exponent, of at most four digits; 0 for anything else. */
  #length(): number {
    this.#skip()
    const [, digits = ''] = LENGTH.exec(this.#bytes.toString('latin1', this.#at, this.#at + 5)) ?? []
    this.#at += digits.length
    return Number(digits)
  }

  #startsWith(key: Buffer): boolean {
    const bytes = this.#bytes
    const from = this.#at
    for (let at = 0; at < key.length; at++) if (bytes[from + at] !== key[at]) return false
    return true
  }

  /** A string without escapes; undefined for anything else. What is no ASCII equals no name that is looked for. */
  #string(): string | undefined {
    this.#skip()
    const bytes = this.#bytes
    if (bytes[this.#at] !== QUOTE) return undefined
    const end = bytes.indexOf(QUOTE, this.#at + 1)
    if (end === -1) return undefined
    const string = bytes.toString('latin1', this.#at + 1, end)
    this.#at = end + 1
    return string
  }

  /** Goes past spaces and this character; false where another one stands. */
  #takes(code: number): boolean {
    const bytes = this.#bytes
    if (bytes[this.#at] !== code) {
      this.#skip()
      if (bytes[this.#at] !== code) return false
    }
    this.#at++
    return true
  }

  /** Goes past what JSON takes for space. */
  #skip(): void {
    const bytes = this.#bytes
    let at = this.#at
    for (let code = bytes[at]; code === SPACE || code === 10 || code === 13 || code === 9;) code = bytes[++at]
    this.#at = at
  }
}
