import { ServiceError } from '../../errors.js'
import { jsonPointer } from '../../json-pointer.js'
import { wayOutOfText } from './way-out.js'

/** Objects and arrays in each other. */
export const MAX_DEPTH = 32
/**
 * Keys of a body, and objects and arrays in it: the widest legal one (256 features, the times, three fields) has 260 of
 * each. `JSON.parse` takes up to twenty times as long for a key or an array as for a number of as many bytes.
 */
export const MAX_PARTS = 300

/** What stands behind the last byte: NUL has no place in JSON either. */
const END = 0
const QUOTE = 34
const SINGLE_QUOTE = 39
const PLUS = 43
const COMMA = 44
const MINUS = 45
const POINT = 46
const ZERO = 48
const NINE = 57
const COLON = 58
const OPEN_ARRAY = 91
const BACKSLASH = 92
const CLOSE_ARRAY = 93
const LOWER_E = 101
const LOWER_U = 117
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
/** 1 for what may follow a backslash. */
const ESCAPED = new Uint8Array(256)
for (const byte of Buffer.from('"\\/bfnrtu')) ESCAPED[byte] = 1
/** `true`, `false` and `null`, by their first byte. */
const WORDS = new Map(['true', 'false', 'null'].map(word => [word.charCodeAt(0), Buffer.from(word)]))

/** An object or an array that is not closed yet. */
interface Level {
  /** the byte that closes it */
  end: number
  /** of an object, those read so far */
  keys: Set<string> | undefined
  /** key or index of the value that is read or was read last; undefined while there is none */
  at: string | number | undefined
}

const isDigit = (byte: number) => byte >= ZERO && byte <= NINE
const isHex = (byte: number) => isDigit(byte) || ((byte | 32) >= 97 && (byte | 32) <= 102)

/**
 * The careful look at a body in UTF-8: throws for the first thing that is wrong with it, in the order of the text. That is
 * where it stops being JSON (RFC 8259, as `JSON.parse` reads it), a key that its object has already, or more depth, keys
 * or arrays than any legal body has. It goes over the bytes once, without a step back, and keeps no more than the keys.
 */
export function refuseFaults(body: Buffer, maxParts = MAX_PARTS): void {
  new Reader(body, maxParts).read()
}

class Reader {
  readonly #body: Buffer
  readonly #maxParts: number
  readonly #levels: Level[] = []
  #at = 0
  #keys = 0
  #opened = 0

  constructor(body: Buffer, maxParts: number) {
    this.#body = body
    this.#maxParts = maxParts
  }

  read(): void {
    this.#skipSpace()
    this.#value()
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      if (this.#skipSpace() === level.end) {
        this.#at++
        this.#levels.pop()
      } else this.#member(level)
    }
    this.#skipSpace()
    if (this.#at < this.#body.length) this.#fail()
  }

  /** A value of an array, or a key of an object with its value, and the comma before it. */
  #member(level: Level): void {
    const isFirst = level.at === undefined
    if (!isFirst) this.#take(COMMA)
    if (level.keys) this.#key(level, level.keys)
    else level.at = isFirst ? 0 : Number(level.at) + 1
    this.#skipSpace()
    this.#value()
  }

  #key(level: Level, keys: Set<string>): void {
    level.at = undefined
    if (this.#skipSpace() !== QUOTE) this.#fail()
    const start = this.#at
    const isPlain = this.#string()
    const written = this.#body.toString('utf8', start, this.#at)
    const key = isPlain ? written.slice(1, -1) : (JSON.parse(written) as string)
    level.at = key
    if (keys.has(key)) throw new ServiceError('duplicate_key', 'the object has the same key twice', this.#pointer())
    keys.add(key)
    if (++this.#keys > this.#maxParts) throw tooMany('keys', this.#maxParts)
    this.#skipSpace()
    this.#take(COLON)
  }

  #value(): void {
    const byte = this.#byte()
    if (byte === QUOTE) this.#string()
    else if (byte === OPEN_OBJECT) this.#open({ end: CLOSE_OBJECT, keys: new Set(), at: undefined })
    else if (byte === OPEN_ARRAY) this.#open({ end: CLOSE_ARRAY, keys: undefined, at: undefined })
    else if (byte === MINUS || isDigit(byte)) this.#number()
    else for (const one of WORDS.get(byte) ?? this.#fail()) this.#take(one)
  }

  #open(level: Level): void {
    if (this.#levels.push(level) > MAX_DEPTH)
      throw new ServiceError('bad_request', `the body has more than ${MAX_DEPTH} levels of objects and arrays`)
    if (++this.#opened > this.#maxParts) throw tooMany('objects and arrays', this.#maxParts)
    this.#at++
  }

  /** Reads a string to behind its end; false if it has a backslash and so does not stand as it is written. */
  #string(): boolean {
    const body = this.#body
    let isPlain = true
    let at = this.#at + 1
    for (let byte = body[at] ?? END; byte !== QUOTE; byte = body[at] ?? END) {
      if (byte === BACKSLASH) {
        isPlain = false
        at = this.#escape(at + 1)
      } else if (byte >= 32) at++
      else this.#fail(at)
    }
    this.#at = at + 1
    return isPlain
  }

  /** Reads what follows a backslash; gives the place behind it. */
  #escape(start: number): number {
    const body = this.#body
    const byte = body[start] ?? END
    if (ESCAPED[byte] === 0) this.#fail(start)
    const end = byte === LOWER_U ? start + 5 : start + 1
    for (let at = start + 1; at < end; at++) if (!isHex(body[at] ?? END)) this.#fail(at)
    return end
  }

  #number(): void {
    if (this.#byte() === MINUS) this.#at++
    // Nothing may follow a leading zero.
    if (this.#byte() === ZERO) this.#at++
    else this.#digits()
    if (this.#byte() === POINT) {
      this.#at++
      this.#digits()
    }
    if ((this.#byte() | 32) !== LOWER_E) return
    this.#at++
    if (this.#byte() === MINUS || this.#byte() === PLUS) this.#at++
    this.#digits()
  }

  /** One at the least. */
  #digits(): void {
    const body = this.#body
    const start = this.#at
    let at = start
    while (isDigit(body[at] ?? END)) at++
    this.#at = at
    if (at === start) this.#fail()
  }

  #take(byte: number): void {
    if (this.#byte() !== byte) this.#fail()
    this.#at++
  }

  #byte(): number {
    return this.#body[this.#at] ?? END
  }

  /** The first byte that is no space. */
  #skipSpace(): number {
    const body = this.#body
    let at = this.#at
    let byte = body[at] ?? END
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) byte = body[++at] ?? END
    this.#at = at
    return byte
  }

  /** The element that is being read; undefined for the body itself. */
  #pointer(): string | undefined {
    const path = this.#levels.flatMap(({ at }) => at ?? [])
    return path.length > 0 ? jsonPointer(...path) : undefined
  }

  /** Names the element where the text stops being JSON: a NaN that some writers emit is the usual case. */
  #fail(at = this.#at): never {
    const before = this.#body.toString('utf8', 0, at).length
    const where = at < this.#body.length ? `is not JSON from character ${before} on` : 'ends too early'
    const hint = this.#levels.length === 0 ? wayOutOfText(this.#body, at) : wayOutOfByte(this.#body, at)
    throw new ServiceError('malformed_json', `the body ${where}${hint ? `; ${hint}` : ''}`, this.#pointer())
  }
}

/** For what other writers than JSON's put in the place of a value or a key. */
function wayOutOfByte(body: Buffer, at: number): string | undefined {
  const text = body.toString('latin1', Math.max(0, at - 1), at + 8)
  if (body[at] === SINGLE_QUOTE) return 'JSON needs double quotes, not single quotes (in Python: json.dumps, not str)'
  return /^.?-?(NaN|Infinity)/i.test(text) ? 'JSON has no NaN and no Infinity: every value must be a number' : undefined
}

function tooMany(what: string, most: number): ServiceError {
  return new ServiceError(
    'bad_request',
    `the body has more than ${most} ${what}: a table needs one array per column only`
  )
}
