import { STATUS_CODES } from 'node:http'

/** An answer with its body. */
export interface AnswerParts {
  status: number
  /** the request's; harmless in a header */
  id: string
  /** further header lines, each with its end */
  headers: string
  body: string
  /** each character of the body is a byte; otherwise it is a text */
  isBytes: boolean
  /** the connection ends after it */
  last: boolean
}

export const JSON_TYPE = 'content-type: application/json; charset=utf-8\r\n'
const CLOSE = 'Connection: close\r\n\r\n'

/** Whole answers as one text, their header lines as Node and the framework write them. */
export class AnswerWriter {
  readonly #keepAlive: string
  #second = 0
  #date = ''

  /** `keepAliveMs`: how long a connection without requests is kept. */
  constructor(keepAliveMs: number) {
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`
  }

  /** The text, and how it is to be encoded. */
  write({ status, id, headers, body, isBytes, last }: AnswerParts): { text: string; encoding: BufferEncoding } {
    const length = isBytes ? body.length : Buffer.byteLength(body)
    const head =
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nx-request-id: ${id}\r\n${headers}` +
      `content-length: ${length}\r\nDate: ${this.#now()}\r\n`
    // One byte a character is the cheaper way, and the same where all of it is ASCII.
    return {
      text: head + (last ? CLOSE : this.#keepAlive) + body,
      encoding: length === body.length ? 'latin1' : 'utf8'
    }
  }

  /** The time as HTTP writes it, made once a second. */
  #now(): string {
    const ms = Date.now()
    if (ms >= this.#second + 1000 || ms < this.#second) {
      this.#second = ms - (ms % 1000)
      this.#date = new Date(ms).toUTCString()
    }
    return this.#date
  }
}
