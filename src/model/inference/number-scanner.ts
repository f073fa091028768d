const ZERO = 48
const NINE = 57
const MINUS = 45
const PLUS = 43
const POINT = 46
const UPPER_E = 69
const LOWER_E = 101

/** Powers of ten that a double holds exactly, up to the largest. */
const EXACT_POWER = 22
const POWERS = Array.from({ length: EXACT_POWER + 1 }, (_, power) => Number(`1e${power}`))
/** Decimal digits that a double holds exactly whatever they are; a point among them counts as one more. */
const EXACT_DIGITS = 15
/** Characters of the digits and their point: with more digits the sum below could lose more than its bound says. */
const MAX_DIGITS = 32
/** Bound, with room, on the relative error of a double that was added up from `MAX_DIGITS` digits and scaled twice. */
const ERROR = 1e-14

/**
 * Reads one JSON number as float32, with the bits that `Math.fround(JSON.parse(text))` has. Up to 15 digits and a power of ten up to 22
 * are both exact as doubles, so their product or quotient is rounded once, as it must be (W. D. Clinger, How to read floating
 * point numbers accurately, 1990). With more the double may be off by some of its last bits, which float32 drops: the
 * number is taken where its whole range of error rounds to one float32, and left alone elsewhere.
 */
export class NumberScanner {
  /** where the number ended, after `read` gave one */
  end = 0

  /** The float32 value of the number that begins at `at`; NaN where there is none, or none whose bits are certain. */
  // One function for all parts of a number: 110 stand in a request, and calls and fields between the parts doubled its time.
  // eslint-disable-next-line complexity
  read(bytes: Uint8Array, at: number): number {
    let code = bytes[at]!
    const isNegative = code === MINUS
    if (isNegative) code = bytes[++at]!
    const first = at
    let mantissa = 0
    let power = 0
    while (code >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + (code - ZERO)
      code = bytes[++at]!
    }
    // JSON has no number that begins with a zero and goes on with a digit.
    if (at === first || (at > first + 1 && bytes[first] === ZERO)) return NaN
    if (code === POINT) {
      const point = at
      code = bytes[++at]!
      while (code >= ZERO && code <= NINE) {
        mantissa = mantissa * 10 + (code - ZERO)
        code = bytes[++at]!
      }
      power = point + 1 - at
      if (power === 0) return NaN
    }
    // Zeros before the first other digit count here too: a number with many of them is taken for less certain than it is.
    const digits = at - first
    this.end = at
    if (code === LOWER_E || code === UPPER_E) power += this.#exponent(bytes, at + 1)
    if (!(digits <= MAX_DIGITS && power <= 2 * EXACT_POWER && power >= -2 * EXACT_POWER)) return NaN
    const size = scale(mantissa, power)
    const value = Math.fround(isNegative ? -size : size)
    if (digits <= EXACT_DIGITS && power <= EXACT_POWER && power >= -EXACT_POWER) return value
    return Math.fround(size * (1 - ERROR)) === Math.fround(size * (1 + ERROR)) ? value : NaN
  }

  /** The exponent that begins at `at`, behind its letter; sets `end`. NaN for one that is none, or of more than two digits. */
  #exponent(bytes: Uint8Array, at: number): number {
    const sign = bytes[at]!
    if (sign === MINUS || sign === PLUS) at++
    const first = at
    let exponent = 0
    for (let code = bytes[at]!; code >= ZERO && code <= NINE; code = bytes[++at]!) {
      exponent = exponent * 10 + (code - ZERO)
    }
    this.end = at
    if (at === first || at > first + 2) return NaN
    return sign === MINUS ? -exponent : exponent
  }
}

/** `mantissa` times ten to `power`: rounded once up to `EXACT_POWER`, and twice beyond. */
function scale(mantissa: number, power: number): number {
  if (power > EXACT_POWER) return mantissa * POWERS[EXACT_POWER]! * POWERS[power - EXACT_POWER]!
  if (power >= 0) return mantissa * POWERS[power]!
  if (power >= -EXACT_POWER) return mantissa / POWERS[-power]!
  return mantissa / POWERS[EXACT_POWER]! / POWERS[-power - EXACT_POWER]!
}
