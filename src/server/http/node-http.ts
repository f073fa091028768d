import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What Node's parser is told behind a request after which it is to stop: llhttp's HPE_PAUSED. */
export const PAUSE = 21

const WATCHER = Symbol('watcher')

/** What is used of Node's HTTP server beside its documented interface, the same from Node 20 to 24: docs/adr/0010. */
export interface HttpSocket extends Socket {
  parser: Parser | null
  /** true while Node does not read, for the client does not */
  _paused: boolean
  /** called after the answer that ends the connection */
  destroySoon(): void
  /** the answer that is being sent or waited for: told when the client shuts its sending side, which Node would answer in kind */
  _httpMessage: { _last: boolean } | null
}

/** llhttp's parser as Node wraps it; the callbacks of a request stand under numbers, which its class names. */
export interface Parser {
  /** the request that is being read, or was read last */
  incoming: IncomingMessage | null
  onIncoming: OnIncoming
  /** lets a parser that was told to stop go on */
  resume(): void
  constructor: { kOnHeadersComplete: number; kOnBody: number; kOnMessageComplete: number }
  [callback: number]: (...given: never[]) => number | undefined
}

/** What the parser calls with the headers of a request: its version, headers, method, URL, and more. */
export type HeadersComplete = (...given: HeadersGiven) => number
export type HeadersGiven = [
  major: number,
  minor: number,
  headers: string[] | undefined,
  method: number,
  url: string | undefined,
  status: unknown,
  reason: unknown,
  upgrade: boolean,
  keepAlive: boolean
]

/** llhttp's number of the method POST. */
export const POST = 3

/** Called with each request whose headers have been read; 0 lets the parser go on. */
export type OnIncoming = (request: ParsedRequest, keepAlive: boolean) => number

export interface ParsedRequest extends IncomingMessage {
  /** the bytes behind it may be of another protocol: it is a CONNECT, or asks for one */
  upgrade: boolean
}

/** What Node calls a client error: bytes that cannot be read, or too late. `bytesParsed` of `rawPacket` were read. */
export interface WireError {
  code?: string
  rawPacket?: Buffer
  bytesParsed?: number
}

interface Watcher {
  /** a request's headers have been read */
  began(response: CountedResponse): void
  /** the kernel has taken the last byte of its answer */
  left(response: CountedResponse): void
}

interface Watched {
  [WATCHER]?: Watcher
}

/** Makes `watcher` hear of every answer of a connection. */
export function watchAnswers(socket: Socket, watcher: Watcher): void {
  ;(socket as Watched)[WATCHER] = watcher
}

/** What watches the answers of a connection; undefined for one that no network has. */
export function watcherOf(socket: Socket): Watcher | undefined {
  return (socket as Watched)[WATCHER]
}

/** An answer that its connection's watcher hears of. */
export class CountedResponse extends ServerResponse {
  /** the connection ends after it */
  declare readonly _last: boolean
  /** adds to Node's count of bytes that wait behind the answer that is being sent; with too many Node does not read */
  declare readonly _onPendingData: (bytes: number) => void

  // Node passes options too, which its types do not have.
  constructor(...given: ConstructorParameters<typeof ServerResponse>) {
    super(...given)
    watcherOf(given[0].socket)!.began(this)
  }

  override detachSocket(socket: Socket): void {
    super.detachSocket(socket)
    watcherOf(socket)!.left(this)
  }
}
