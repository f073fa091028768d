import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { monotonicMs } from '../../clock.js'
import { isSuccess } from '../samples/answers.js'
import type { CallAnswer, CallRequest } from './calls/protocol.js'
import type { LoadRandom } from './random.js'
import type { Arrivals } from './open-loop.js'
import type { Answer, Recorder } from './recorder.js'

/** Ms before a connection is tried again whose predecessor brought no answer; doubled each time up to the maximum. */
const BACKOFF_MS = 20
const MAX_BACKOFF_MS = 1000

/** What autocannon's builder makes of a request: the very bytes that are sent. */
export interface BuiltRequest {
  requestBuffer: Buffer
}
interface AnswerHead {
  statusCode: number
  shouldKeepAlive: boolean
  headers: string[]
}

/** What is recorded of a 2xx answer that was read. */
export type ReadAnswer = Pick<Answer, 'matched' | 'failures'>

/** The private parts of autocannon 9.0.0's client that are used here (lib/httpClient.js). */
export interface Client extends EventEmitter {
  conn: Socket
  parser: { execute(chunk: Buffer): unknown; finish(): unknown; reinitialize(type: string): void }
  requestIterator: {
    currentRequest: BuiltRequest
    requestBuilder(request: CallRequest): Buffer
  }
  pipelinedRequests: object
  _connect(): void
  _doRequest(): void
  _destroyConnection(): void
}

export interface UserOptions {
  /** time that a user waits between an answer and the next request */
  thinkMs: number
  timeoutMs: number
  /** when requests are to be sent in an open loop; left out, a user sends again when it has its answer and has thought */
  arrivals?: Arrivals
  /** gives each request its body, and says which answers are to be checked */
  draw: LoadRandom
  /** whether every 2xx answer is read; left out, only those to be checked are */
  readsAll?: boolean
  /** reads a 2xx answer to the request of this number; `isChecked`: compares it too */
  read(answer: CallAnswer, request: number, isChecked: boolean): ReadAnswer
  recorder: Recorder
}

/** One user: a client of autocannon's with our own bookkeeping in the place of its queue of requests. */
export class User {
  readonly #client: Client
  readonly #built: readonly BuiltRequest[]
  readonly #options: UserOptions
  readonly #onSettled: () => void
  readonly #request: { currentRequest: BuiltRequest; resetted: boolean; nextRequest(): void; recordBody(): void }
  readonly #sendNow: () => void
  readonly #connectNow: () => void
  #body = 0
  #isChecked = false
  /** of the answer under way, where it is to be read */
  #chunks: Buffer[] | undefined
  #status = 0
  #headers: string[] = []
  /** when the request in flight was sent, or in an open loop was to be sent */
  #sentAt: number | undefined
  #plannedAt: number | undefined
  #dueAt: number
  #live = false
  /** the server has said that it closes the connection after this answer */
  #spent = false
  /** connections in a row that brought no answer */
  #barren = 0
  #stopping = false
  #timer: NodeJS.Timeout | undefined

  constructor(client: Client, built: readonly BuiltRequest[], options: UserOptions, onSettled: () => void) {
    this.#client = client
    this.#built = built
    this.#options = options
    this.#onSettled = onSettled
    this.#dueAt = monotonicMs() + options.draw.share() * options.thinkMs
    this.#request = {
      currentRequest: built[0]!,
      resetted: false,
      nextRequest: () => undefined,
      recordBody: () => undefined
    }
    client.requestIterator = this.#request as unknown as Client['requestIterator']
    client.pipelinedRequests = this.#bookkeeping()
    // Connecting, sending and parsing stay autocannon's; when it does them is decided here.
    this.#sendNow = client._doRequest.bind(client)
    this.#connectNow = client._connect.bind(client)
    client._doRequest = () => this.next()
    client._connect = () => this.#connect()
    const execute = client.parser.execute.bind(client.parser)
    client.parser.execute = chunk => {
      const result = execute(chunk)
      if (result instanceof Error) this.#broken('unreadable answer')
      return result
    }
  }

  get connected(): boolean {
    return this.#client.conn?.readyState === 'open'
  }

  /** Whether a request is in flight. */
  get waiting(): boolean {
    return this.#sentAt !== undefined
  }

  /** Since when the request has been open that is in flight, on the machine's clock; undefined without one. */
  get openSince(): number | undefined {
    return this.#sentAt
  }

  endIfOverdue(): void {
    if (this.#sentAt !== undefined && monotonicMs() - this.#sentAt >= this.#options.timeoutMs) this.#broken('timeout')
  }

  stop(): void {
    this.#stopping = true
    clearTimeout(this.#timer)
  }

  /** What autocannon tells its queue of requests, of which there is never more than one here. */
  #bookkeeping(): object {
    return {
      insertRequest: () => {
        this.#sentAt = this.#plannedAt ?? monotonicMs()
      },
      addByteCount: () => undefined,
      setHeaders: ({ statusCode, shouldKeepAlive, headers }: AnswerHead) => {
        this.#status = statusCode
        this.#headers = headers
        this.#spent = !shouldKeepAlive
      },
      addBody: (chunk: Buffer) => this.#chunks?.push(chunk),
      terminateRequest: () => this.#answered(),
      clear: () => undefined
    }
  }

  #answered(): object {
    const answer = { headers: { statusCode: this.#status }, bytes: 0, duration: 0 }
    // 100 to 199 announce the answer; one that nobody asked for (408 on an idle connection) ends it.
    if (this.#status < 200) return answer
    this.#barren = 0
    if (this.#sentAt === undefined) {
      this.#spent = true
      return answer
    }
    const now = monotonicMs()
    const latencyMs = now - this.#sentAt
    const status = this.#status
    const read = this.#chunks && isSuccess(status) ? this.#read(this.#chunks) : { matched: undefined }
    this.#options.recorder.answer({ status, latencyMs, now, ...read })
    this.#settled(now)
    return answer
  }

  #read(chunks: Buffer[]): ReadAnswer {
    const answer = { headers: this.#headers, body: Buffer.concat(chunks) }
    return this.#options.read(answer, this.#body, this.#isChecked)
  }

  #settled(now: number): void {
    this.#sentAt = undefined
    this.#chunks = undefined
    this.#dueAt = now + this.#options.thinkMs
    if (this.#stopping) this.#onSettled()
  }

  /** Sends the next request once it is time and there is a connection for it. */
  next(): void {
    if (this.#stopping || this.waiting || !this.#live) return
    if (this.#spent) {
      // Not at once: the parser is still at work on what this connection brought.
      process.nextTick(() => this.#broken())
      return
    }
    const { arrivals, thinkMs } = this.#options
    if (arrivals) {
      this.#plannedAt = arrivals.take(this)
      if (this.#plannedAt === undefined) return
    } else if (thinkMs > 0) {
      const pause = this.#dueAt - monotonicMs()
      clearTimeout(this.#timer)
      if (pause > 0) {
        this.#timer = setTimeout(() => this.next(), Math.ceil(pause))
        return
      }
    }
    this.#body = this.#options.draw.body()
    this.#isChecked = this.#options.draw.isChecked()
    this.#chunks = this.#isChecked || this.#options.readsAll ? [] : undefined
    this.#request.currentRequest = this.#built[this.#body]!
    this.#sendNow()
  }

  #connect(): void {
    const { parser } = this.#client
    this.#spent = false
    this.#live = true
    this.#barren++
    // An answer that broke off must not be glued to the next one.
    parser.reinitialize('RESPONSE')
    this.#connectNow()
    const { conn } = this.#client
    conn.removeAllListeners('error').removeAllListeners('end')
    conn.on('error', (error: NodeJS.ErrnoException) => this.#broken(error.code ?? error.message))
    conn.on('end', () => {
      // An answer without a length ends with its connection.
      parser.finish()
      this.#broken()
    })
  }

  /** The connection is of no more use: a request that it carried has failed, and a new connection is made. */
  #broken(kind?: string): void {
    const client = this.#client
    if (!this.#live) return
    this.#live = false
    client._destroyConnection()
    clearTimeout(this.#timer)
    if (this.waiting) {
      const now = monotonicMs()
      this.#options.recorder.failure(now, kind)
      this.#settled(now)
    }
    if (this.#stopping) return
    if (this.#barren === 0) this.#connect()
    else {
      const backoff = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (this.#barren - 1))
      this.#timer = setTimeout(() => this.#connect(), backoff)
    }
  }
}
