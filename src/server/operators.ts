import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../settings/config.js'
import { boundedServer, type ServerOptions } from './http/connections.js'

/** A caller on this host; the address is that of the connection, which no header changes. */
const LOOPBACK = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/

/**
 * Who may use the routes of operators. With a listener of their own: whoever comes by that one, and nobody else. Without one:
 * callers of this host.
 */
export class Operators {
  /** what listens on `ADMIN_PORT`; undefined without one */
  readonly server: Server | undefined
  readonly #sockets = new WeakSet<Socket>()

  constructor(app: Pick<FastifyInstance, 'routing'>, config: Config, bounds: ServerOptions) {
    if (config.ADMIN_PORT < 0) return
    this.server = boundedServer((request, response) => app.routing(request, response), bounds)
    this.server.on('connection', socket => this.#sockets.add(socket))
  }

  /**
   * Lets nobody else find the routes that are added to `scope`: they are answered as what does not exist. It goes by the route
   * that was found, so however its path was written.
   */
  guard(scope: FastifyInstance): void {
    scope.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      if (this.#includes(request.raw.socket)) done()
      else reply.callNotFound()
    })
  }

  #includes(socket: Socket): boolean {
    return this.server ? this.#sockets.has(socket) : LOOPBACK.test(socket.remoteAddress ?? '')
  }
}
