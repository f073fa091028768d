import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../settings/config.js'
import type { Metrics } from '../../metrics/metrics.js'
import { Connection, connectionOf, type ConnectionOptions } from './connection.js'
import { AnswerWriter } from './answer-text.js'
import type { FastRoute } from './fast-path.js'
import { CountedResponse, type WireError } from './node-http.js'

/** Ms between two looks at all connections, Node's and ours: its own 30 s would let slow clients hold on for as long. */
const LOOK_MS = 1000

export interface ServerOptions {
  config: Config
  metrics: Pick<Metrics, 'connectionError'>
  /** set while the service stops */
  drain: { readonly draining: boolean }
  /** the routes whose ordinary requests take the fast path */
  fast?: readonly FastRoute[]
  /** told of each request whose caller has hung up before it was answered */
  hungUp(request: FastifyRequest): void
}

/**
 * An HTTP server that holds each of its connections, and their number, to the bounds of the settings. Its `closeIdleConnections`,
 * which `close` calls too, cuts off no answer. Clients may shut their sending side and wait.
 */
export function boundedServer(handler: RequestListener, options: ServerOptions): Server {
  const { REQUEST_TIMEOUT_MS, KEEP_ALIVE_MS, SOCKET_TIMEOUT_MS } = options.config
  const server = createServer(
    {
      // Its constructor is not generic, as the types would have it.
      ServerResponse: CountedResponse as unknown as typeof ServerResponse,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_MS
    },
    handler
  )
  // In neither the documentation nor the types. Without it Node ends a connection whose client has sent all that it wants to.
  Object.assign(server, { httpAllowHalfOpen: true })
  const connections = new Connections(options)
  server.on('connection', (socket: Socket) => connections.open(socket))
  server.on('clientError', (error: WireError, socket) => connectionOf(socket as Socket)?.failed(error))
  const closeIdle = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => connections.sparing(closeIdle)
  const look = setInterval(() => connections.look(performance.now()), Math.min(LOOK_MS, SOCKET_TIMEOUT_MS)).unref()
  server.on('close', () => clearInterval(look))
  return server
}

/**
 * The connections of a server, for what HTTP frameworks do not tell: that a caller has vanished after sending a whole request
 * (neither `onResponse` nor `onRequestAbort` runs then), that one does not read its answers, or asks for more than it reads. A
 * listener a connection and one timer: a listener or a timer a request would cost the hot path microseconds.
 */
class Connections {
  /** Once they are many, those that were used last stand last. */
  readonly #all = new Set<Connection>()
  readonly #options: ServerOptions
  readonly #each: ConnectionOptions

  constructor(options: ServerOptions) {
    const { config, metrics, drain, fast: routes } = options
    this.#options = options
    this.#each = {
      stallMs: config.SOCKET_TIMEOUT_MS,
      requestMs: config.REQUEST_TIMEOUT_MS,
      keepAliveMs: config.KEEP_ALIVE_MS,
      drain,
      fast: routes && { routes, writer: new AnswerWriter(config.KEEP_ALIVE_MS) },
      refused: code => metrics.connectionError(code),
      used: connection => this.#used(connection)
    }
  }

  open(socket: Socket): void {
    if (this.#all.size >= this.#options.config.MAX_CONNECTIONS && !this.#madeRoom()) return void socket.destroy()
    const connection = new Connection(socket, this.#each)
    this.#all.add(connection)
    socket.on('close', () => {
      this.#all.delete(connection)
      connection.closed()
      for (const request of connection.requests.closed()) this.#options.hungUp(request)
    })
  }

  /** So that whoever opens thousands of connections loses those, and not the callers who came before. */
  #used(connection: Connection): void {
    if (this.#all.size < this.#options.config.MAX_CONNECTIONS / 2) return
    if (this.#all.delete(connection)) this.#all.add(connection)
  }

  /** Ends the connection that has had nothing under way for longest; false when all have. */
  #madeRoom(): boolean {
    this.#options.metrics.connectionError('too_many')
    for (const connection of this.#all) {
      if (!connection.idle) continue
      this.#all.delete(connection)
      connection.socket.destroy()
      return true
    }
    return false
  }

  look(now: number): void {
    for (const connection of this.#all) connection.look(now)
  }

  /**
   * Closes idle connections, but none that still has answers to send: Node takes an answer for gone once it has been handed over,
   * and would cut it off for a client that reads slowly.
   */
  sparing(closeIdle: () => void): void {
    const busy = [...this.#all].filter(({ idle }) => !idle)
    for (const { socket } of busy) socket.destroy = () => socket
    closeIdle()
    for (const { socket } of busy) delete (socket as Partial<Socket>).destroy
  }
}
