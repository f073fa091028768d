import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type WireCode, wireCodeOf, wireRefusal } from './wire-errors.js'
import {
  type CountedResponse,
  type HttpSocket,
  type OnIncoming,
  type ParsedRequest,
  PAUSE,
  watchAnswers,
  watcherOf,
  type WireError
} from './node-http.js'
import type { AnswerWriter } from './answer-text.js'
import { type FastConnection, FastPath, type FastRoute } from './fast-path.js'
import { OpenRequests } from './open-requests.js'
import { Stall } from './stall.js'
import { inTurn } from './turns.js'

/** Requests of one connection that may be under way: read, and the last byte of the answer not yet taken by the kernel. */
const MAX_UNDER_WAY = 8
/** A full connection is read again when so many are left: one by one the parser would be stopped for each. */
const READ_AGAIN_AT = MAX_UNDER_WAY / 2
/** Ms that what a client still sends is taken after the last answer: a reset could overtake that. */
const LINGER_MS = 1000
/** Bytes that Node believes to wait for the client while the connection is full, so that it does not read on by itself. */
const PRESSURE = 2 ** 40

export interface ConnectionOptions {
  /** ms that a client may leave bytes untaken */
  stallMs: number
  /** ms that a client may take to send a request */
  requestMs: number
  /** ms that a connection is kept without requests */
  keepAliveMs: number
  /** set while the service stops */
  drain: { readonly draining: boolean }
  fast: { routes: readonly FastRoute[]; writer: AnswerWriter } | undefined
  refused(code: WireCode): void
  /** one of its requests has ended */
  used(connection: Connection): void
}

/** The last answer of a connection; `ofNewest` when what came of the newest request's body is what is wrong. */
interface Refusal {
  code: WireCode
  ofNewest: boolean
}

/**
 * One connection: which of its requests are under way, and how it ends. While it is full it is neither read nor parsed; of what
 * was read already at most one read (64 KiB) waits here, as bytes. It costs the hot path two counts a request.
 */
export class Connection implements FastConnection {
  readonly socket: HttpSocket
  readonly #options: ConnectionOptions
  readonly requests = new OpenRequests()
  #underWay = 0
  /** the answer to the request that was read last, until it has left */
  #newest: CountedResponse | null = null
  /** adds to what Node believes to wait for the client; set while the connection is full */
  #press: ((bytes: number) => void) | null = null
  /** bytes behind the request at which the parser stopped */
  #rest: Buffer | undefined
  readonly #fast: FastPath | undefined
  /** when the last answer of the fast path had left: for the others Node has a timer a connection */
  #idleSince = Infinity
  /** what had been read by then: with more, a request is on its way */
  #idleBytes = 0
  /** waits for its turn to go on */
  #waits = false
  /** no further request is taken */
  #last = false
  #refusal: Refusal | undefined
  #ended = false
  #lingersSince = Infinity
  readonly #stall = new Stall()
  /** a request that Node's clock gave up while it was not read, and when it was last not read */
  #overdue: IncomingMessage | null = null
  /** the same of a request that waits behind one on the fast path */
  #isNextOverdue = false
  #overdueSince = 0

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket as HttpSocket
    this.#options = options
    watchAnswers(socket, this)
    // Node calls it after an answer that ends the connection.
    this.socket.destroySoon = () => this.#end()
    const parser = this.socket.parser!
    const { onIncoming } = parser
    parser.onIncoming = (request, keepAlive) => this.#incoming(request, keepAlive, onIncoming)
    const { fast } = options
    if (fast !== undefined) this.#fast = new FastPath(this, fast.routes, fast.writer)
  }

  get isFree(): boolean {
    return this.#underWay === 0 && !this.#last && this.#refusal === undefined && !this.socket._paused
  }

  get isDraining(): boolean {
    return this.#options.drain.draining
  }

  fastBegan(): void {
    this.#underWay++
  }

  fastLeft(last: boolean): void {
    this.#underWay--
    this.#idleSince = performance.now()
    this.#idleBytes = this.socket.bytesRead
    if (last) this.#last = true
    this.#options.used(this)
    this.#settleLater()
  }

  /** The socket has closed. */
  closed(): void {
    this.#fast?.closed()
  }

  /** Nothing is under way, and the end has not begun. */
  get idle(): boolean {
    return this.#underWay === 0 && !this.#ended
  }

  began(response: CountedResponse): void {
    this.#underWay++
    this.#newest = response
  }

  left(response: CountedResponse): void {
    this.#underWay--
    if (this.#newest === response) this.#newest = null
    if (response._last) this.#last = true
    this.#options.used(this)
    this.#settleLater()
  }

  #settleLater(): void {
    if (this.#waits || (this.#press === null && !this.#last && this.#fast?.holds !== true)) return
    // Later: Node goes on to the next answer first, and other connections have their turn.
    this.#waits = true
    inTurn(this)
  }

  /** Whether no request was read after this one: only then its answer may say that the connection ends. */
  isNewest(request: IncomingMessage): boolean {
    return this.#newest?.req === request
  }

  /** The parser has read the headers of a request. */
  #incoming(request: ParsedRequest, keepAlive: boolean, onIncoming: OnIncoming): number {
    const { upgrade } = request
    if (this.#last || this.#newest?._last === true) {
      // It is nobody's: its caller has been told to ask again on another connection.
      this.#last = true
      request.upgrade = false
      return PAUSE
    }
    if (request.method === 'CONNECT') {
      request.upgrade = false
      this.#refuse({ code: 'bad_request', ofNewest: false })
      return PAUSE
    }
    // Behind a request for another protocol Node drops what it has read: so the answer ends the connection.
    const result = onIncoming(request, keepAlive && !upgrade)
    if (!keepAlive || upgrade) this.#last = true
    if (this.#last || (this.#underWay < MAX_UNDER_WAY && !this.socket._paused)) return result
    // As Node does when a client does not read, but in the middle of what has been read.
    this.socket._paused = true
    this.socket.pause()
    this.#press = this.#newest!._onPendingData
    this.#press(PRESSURE)
    return PAUSE
  }

  goOn(): void {
    this.#waits = false
    this.#settle()
  }

  /** Does what waited for answers to leave. */
  #settle(): void {
    if (this.#ended || this.socket.destroyed) return
    if (this.#refusal !== undefined) {
      if (this.#underWay === 0 || this.#refusalStands(this.#refusal)) this.#end()
    } else if (this.#press !== null && this.#underWay <= READ_AGAIN_AT) {
      // While the service stops only the body of the newest request is still read: else a long pipeline would go on.
      if (this.#options.drain.draining) this.#last = true
      this.#readOn(this.#press)
    } else if (this.#last && this.#underWay === 0) this.#end()
    else if (this.#fast?.holds === true) this.#takeNext(this.#fast)
  }

  /** The request that waited behind one on the fast path, and what follows it. */
  #takeNext(fast: FastPath): void {
    const mayGoOn = fast.goOn() === 0
    if (this.#isNextOverdue) {
      this.#isNextOverdue = false
      this.#overdue = this.socket.parser!.incoming
      this.#overdueSince = performance.now()
    }
    if (!mayGoOn) return
    const rest = this.#rest
    this.#rest = undefined
    this.socket.parser!.resume()
    this.socket.resume()
    this.socket.emit('data', rest)
  }

  /** Unless Node still has answers that wait for the client. */
  #readOn(press: (bytes: number) => void): void {
    press(-PRESSURE)
    if (this.socket._paused) return press(PRESSURE)
    const rest = this.#rest
    this.#press = null
    this.#rest = undefined
    // Without bytes too: the parser has stopped before the end of the request that it read.
    this.socket.emit('data', rest)
  }

  /** Hears what Node calls client errors, and that the parser stopped because it was told to. */
  failed({ code, rawPacket, bytesParsed }: WireError): void {
    if (code === 'HPE_PAUSED') {
      if (!this.#last) this.#rest = rawPacket!.subarray(bytesParsed)
      return
    }
    if (this.#ended || this.#refusal !== undefined) return
    if (this.#isToldNothing(code)) return void this.socket.destroy()
    this.#fast?.giveUp()
    const incoming = this.socket.parser?.incoming ?? undefined
    const inBody = incoming?.complete === false
    const ofNewest = inBody && this.isNewest(incoming)
    if (this.#last && !ofNewest) return
    const failure = wireCodeOf(code)
    if (failure === 'request_timeout' && this.#isNotRead(incoming)) return
    this.#refuse({ code: failure, ofNewest })
  }

  /** Whether a request is late because it was not read: it gets that time. */
  #isNotRead(request: IncomingMessage | undefined): boolean {
    if (this.#fast?.holds === true) return (this.#isNextOverdue = true)
    if (this.#press === null) return false
    this.#overdue = request!
    return true
  }

  /** Nobody is there, or nobody asked: pools of clients open connections for requests to come, whose first would get this answer. */
  #isToldNothing(code: string | undefined): boolean {
    const { writable, bytesRead } = this.socket
    return code === 'ECONNRESET' || !writable || (code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead === 0)
  }

  /** What was asked before is answered first, and this is the last answer. */
  #refuse(refusal: Refusal): void {
    this.#last = true
    this.#refusal = refusal
    this.#options.refused(refusal.code)
    this.#settle()
  }

  /** Whether it is the refusal's turn. */
  #refusalStands({ ofNewest }: Refusal): boolean {
    // An answer that the refused request got all the same stands in the refusal's place.
    if (ofNewest) return this.#underWay === 1 && this.#newest?.headersSent === false
    return this.#underWay === 0
  }

  /** Ends it after what has been written; what the client still sends is taken for a while and dropped. */
  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#last = true
    const refusal = this.#refusal
    this.socket.end(refusal && this.#refusalStands(refusal) ? wireRefusal(refusal.code) : '')
    this.#rest = undefined
    this.#press?.(-PRESSURE)
    this.#press = null
  }

  /** To be called every now and then; `now` is monotonic, in ms. */
  look(now: number): void {
    const { socket } = this
    if (this.#stall.ms(socket, now) >= this.#options.stallMs) return void socket.destroy()
    if (this.#ended) return this.#linger(now)
    const isIdle = this.#underWay === 0 && !socket.timeout && socket.bytesRead === this.#idleBytes
    if (isIdle && now - this.#idleSince >= this.#options.keepAliveMs) return void socket.destroy()
    // A client that has shut its sending side may still be gone, which only who writes is told.
    if (socket.readableEnded && this.#underWay > 0 && socket.writableLength === 0) socket.write('')
    if (this.#overdue !== null) this.#lookAtOverdue(this.#overdue, now)
  }

  #linger(now: number): void {
    if (!this.socket.writableFinished) return
    if (this.#lingersSince === Infinity) this.#lingersSince = now
    else if (now - this.#lingersSince >= LINGER_MS) this.socket.destroy()
  }

  /** Node's clock strikes once a request: this one has the time that it was not read for added. */
  #lookAtOverdue(request: IncomingMessage, now: number): void {
    if (this.#press !== null) this.#overdueSince = now
    else if (request.complete) this.#overdue = null
    else if (now - this.#overdueSince >= this.#options.requestMs) {
      this.#overdue = null
      this.failed({ code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    }
  }
}

/** The connection that a request came over; undefined for one that no network has. */
export function connectionOf(socket: Socket): Connection | undefined {
  return watcherOf(socket) as Connection | undefined
}
