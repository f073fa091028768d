import { monotonicMs } from '../../clock.js'
import type { AnswerParts, AnswerWriter } from './answer-text.js'
import { type FastHeaders, fastHeaders } from './fast-headers.js'
import { HUNG_UP } from './open-requests.js'
import { type HeadersComplete, type HeadersGiven, type HttpSocket, type Parser, PAUSE, POST } from './node-http.js'
import { SmallPieces } from './small-pieces.js'

/** A route whose ordinary requests are answered without Node's request and response objects and without the framework. */
export interface FastRoute {
  /** Whether a request line with this target is for the route; another way of writing the path is left to the framework. */
  isFor(url: string): boolean
  /** only bodies that say that they are JSON are taken; otherwise whatever they say */
  readonly isJson: boolean
  /** bytes of a body; a larger one is left to the framework */
  readonly maxBytes: number
  /**
   * Whose request it is, by its headers as names and values in turn; undefined where it is left to the framework. Not there where
   * anybody may ask.
   */
  readonly callerOf?: ((headers: readonly string[]) => string | undefined) | undefined
  /** What a request is called in its answer and in the log, from its caller's `x-request-id`. */
  nameOf(given: string | undefined): string
  /** Takes a whole request on, or leaves it to the framework, as if nobody had looked at it: false. Must not throw. */
  handle(exchange: Exchange, body: Buffer): boolean
  /** An exchange has ended with this status: 499 where the caller hung up before the answer. */
  ended(exchange: Exchange, status: number): void
}

/** The connection as the fast path sees it. */
export interface FastConnection {
  readonly socket: HttpSocket
  /** a request may be taken: none is under way, and the connection is neither held back nor about to end */
  readonly isFree: boolean
  /** the service stops: an answer that no request follows ends the connection */
  readonly isDraining: boolean
  /** An exchange has begun. */
  fastBegan(): void
  /** The kernel has taken the answer, or the request was left to the framework; `last` ends the connection. */
  fastLeft(last: boolean): void
}

/** One request and its answer on the fast path. */
export class Exchange {
  /** monotonic ms at which its headers had been read */
  readonly began = monotonicMs()
  readonly id: string
  readonly url: string
  /** what the route has to do with it */
  readonly route: FastRoute
  /** as `FastHeaders` has it */
  readonly jsonLength: string | undefined
  /** the name that goes with the caller's key, where keys are asked for */
  readonly caller: string | undefined
  /** what goes on for it; cancelled when its caller has hung up */
  work: { cancel(): void } | null = null
  isAnswered = false
  /** Node's own name: set when the client has shut its sending side */
  _last = false
  readonly #path: FastPath

  constructor(path: FastPath, route: FastRoute, { url, requestId, jsonLength, caller }: Asked) {
    this.#path = path
    this.route = route
    this.id = route.nameOf(requestId)
    this.url = url
    this.jsonLength = jsonLength
    this.caller = caller
  }

  /**
   * Sends the whole answer; `headers` are lines, each with its end. Once; in vain where the caller has gone. `isBytes`: each character
   * of the body is a byte.
   */
  answer(status: number, headers: string, body: string, isBytes = false): void {
    this.#path.answer(this, { status, headers, body, isBytes })
  }

  /** Node tells an answer that the socket's timer struck; true would keep Node from closing it. */
  emit(): boolean {
    return false
  }
}

/** Of a request on the fast path, what its route may want to know. */
interface Asked extends Pick<FastHeaders, 'requestId' | 'jsonLength'> {
  url: string
  caller: string | undefined
}

/** The parser's callbacks, as Node made them. */
interface Callbacks {
  headersComplete: HeadersComplete
  body: (chunk: Buffer) => void
  messageComplete: () => void
}

const FAST = Symbol('fast path')
const HOOKED = Symbol('callbacks')

/** Parsers outlive their connections, and serve clients of this process too: each is hooked once, and asks whose it is. */
interface HookedParser extends Parser {
  [FAST]?: FastPath | undefined
  [HOOKED]?: Callbacks
}

/**
 * The fast path of one connection. It sits between llhttp and Node's HTTP server: a request of the commonest shape is collected
 * from the parser's callbacks and answered with one write; everything else, also what turns out to be unusual when its body is
 * there, is passed on to Node by the same callbacks (docs/adr/0019).
 */
export class FastPath {
  readonly #connection: FastConnection
  readonly #routes: readonly FastRoute[]
  readonly #writer: AnswerWriter
  readonly #parser: HookedParser
  readonly #node: Callbacks
  #exchange: Exchange | null = null
  /** the headers of the exchange, as long as it may still be passed on */
  #headers: HeadersGiven | null = null
  #body: Buffer[] = []
  readonly #pieces = new SmallPieces(piece => this.#piece(piece))
  #isComplete = false
  /** the headers of a request that came behind an exchange; what follows them is not read yet */
  #next: HeadersGiven | null = null
  /** one request came before another was answered: the framework serves such a connection several at a time */
  #isPipelining = false

  constructor(connection: FastConnection, routes: readonly FastRoute[], writer: AnswerWriter) {
    this.#connection = connection
    this.#routes = routes
    this.#writer = writer
    this.#parser = connection.socket.parser as HookedParser
    this.#node = this.#parser[HOOKED] ??= hook(this.#parser)
    this.#parser[FAST] = this
  }

  /** Whether the parser is this connection's: not any more when the connection has ended. */
  owns(parser: Parser): boolean {
    return this.#connection.socket.parser === parser
  }

  /** A request waits, its headers read, until the one before it is answered. */
  get holds(): boolean {
    return this.#next !== null
  }

  headersComplete(given: HeadersGiven): number {
    if (this.#exchange !== null) return this.#holdBack(given)
    const [major, minor, headers, method, url, , , upgrade, keepAlive] = given
    const isPlain = method === POST && minor === 1 && major === 1 && keepAlive && !upgrade
    if (!isPlain || headers === undefined || this.#isPipelining || !this.#connection.isFree) return this.#passOn(given)
    const exchange = this.#exchangeOf(url ?? '', headers)
    if (exchange === undefined) return this.#passOn(given)
    this.#begin(given, exchange)
    return 0
  }

  /** A request that one of the routes takes; undefined for every other. */
  #exchangeOf(url: string, headers: readonly string[]): Exchange | undefined {
    const route = this.#routes.find(one => one.isFor(url))
    const fast = route && fastHeaders(headers, route.isJson)
    if (fast === undefined || fast.length > route!.maxBytes) return undefined
    const caller = route!.callerOf?.(headers)
    if (route!.callerOf !== undefined && caller === undefined) return undefined
    const { requestId, jsonLength } = fast
    return new Exchange(this, route!, { url, requestId, jsonLength, caller })
  }

  #begin(given: HeadersGiven, exchange: Exchange): void {
    const { socket } = this.#connection
    this.#exchange = exchange
    this.#headers = given
    this.#isComplete = false
    // An ordinary answer before it has left the timer of an idle connection running.
    if (socket.timeout) socket.setTimeout(0)
    socket._httpMessage = exchange
    this.#connection.fastBegan()
  }

  /** As Node does when a client does not read, but in the middle of what has been read. */
  #holdBack(given: HeadersGiven): number {
    this.#next = given
    this.#isPipelining = true
    this.#connection.socket.pause()
    return PAUSE
  }

  body(chunk: Buffer): void {
    this.#pieces.add(chunk)
  }

  #piece(piece: Buffer): void {
    if (this.#headers === null || this.#isComplete) return this.#node.body.call(this.#parser, piece)
    this.#body.push(piece)
  }

  messageComplete(): void {
    this.#pieces.flush()
    const exchange = this.#exchange
    if (exchange === null || this.#headers === null) return this.#node.messageComplete.call(this.#parser)
    this.#isComplete = true
    const body = this.#body.length === 1 ? this.#body[0]! : Buffer.concat(this.#body)
    if (exchange.route.handle(exchange, body)) {
      this.#headers = null
      this.#body = []
    } else this.giveUp()
  }

  /** Passes on what has come of a request that cannot be answered here, or whose body is late or broken. */
  giveUp(): void {
    const headers = this.#headers
    if (headers === null) return
    this.#pieces.flush()
    const body = this.#body
    this.#forget()
    this.#connection.fastLeft(false)
    this.#passOn(headers)
    for (const chunk of body) this.#node.body.call(this.#parser, chunk)
    if (this.#isComplete) this.#node.messageComplete.call(this.#parser)
  }

  #passOn(given: HeadersGiven): number {
    return this.#node.headersComplete.apply(this.#parser, given)
  }

  #forget(): void {
    this.#exchange = null
    this.#headers = null
    this.#body = []
    this.#connection.socket._httpMessage = null
  }

  answer(exchange: Exchange, given: Omit<AnswerParts, 'id' | 'last'>): void {
    const { socket } = this.#connection
    if (this.#exchange !== exchange || exchange.isAnswered || socket.destroyed) return
    exchange.isAnswered = true
    const last = exchange._last || (this.#connection.isDraining && this.#next === null)
    const { text, encoding } = this.#writer.write({ ...given, id: exchange.id, last })
    socket.write(text, encoding)
    exchange.route.ended(exchange, given.status)
    const left = () => {
      if (this.#exchange !== exchange) return
      this.#forget()
      this.#connection.fastLeft(last || exchange._last)
    }
    if (socket.writableLength === 0) left()
    else socket.write('', left)
  }

  /** The request that waited goes to Node; 0 when what follows its headers may be read, else what Node says. */
  goOn(): number {
    const next = this.#next!
    this.#next = null
    return this.#passOn(next)
  }

  /** The connection has ended. */
  closed(): void {
    const exchange = this.#exchange
    this.#exchange = null
    this.#pieces.drop()
    if (this.#parser[FAST] === this) this.#parser[FAST] = undefined
    if (exchange === null || exchange.isAnswered) return
    exchange.work?.cancel()
    exchange.route.ended(exchange, HUNG_UP)
  }
}

/** Puts the fast path before Node's callbacks, which are given back. */
function hook(parser: HookedParser): Callbacks {
  const { kOnHeadersComplete, kOnBody, kOnMessageComplete } = parser.constructor
  const node = {
    headersComplete: parser[kOnHeadersComplete] as unknown as HeadersComplete,
    body: parser[kOnBody] as unknown as (chunk: Buffer) => void,
    messageComplete: parser[kOnMessageComplete] as unknown as () => void
  }
  const fastOf = (it: HookedParser) => (it[FAST]?.owns(it) ? it[FAST] : undefined)
  const hooks = {
    [kOnHeadersComplete](this: HookedParser, ...given: HeadersGiven) {
      const fast = fastOf(this)
      return fast === undefined ? node.headersComplete.apply(this, given) : fast.headersComplete(given)
    },
    [kOnBody](this: HookedParser, chunk: Buffer) {
      const fast = fastOf(this)
      return fast === undefined ? node.body.call(this, chunk) : fast.body(chunk)
    },
    [kOnMessageComplete](this: HookedParser) {
      const fast = fastOf(this)
      return fast === undefined ? node.messageComplete.call(this) : fast.messageComplete()
    }
  }
  Object.assign(parser, hooks)
  return node
}
