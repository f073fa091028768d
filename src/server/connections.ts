import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Ms between two looks for connections whose client does not read. */
const LOOK_MS = 1000

interface Connection {
  /** requests that are not answered yet; more than one if the client pipelines */
  open: FastifyRequest[]
  /** bytes written at the last look, and when they last changed */
  written: number
  since: number
}

/**
 * The connections of the server, for what HTTP frameworks do not tell: that a caller has vanished after sending a whole
 * request (neither `onResponse` nor `onRequestAbort` runs then), and that one does not read its answer. A listener a
 * connection and one timer: a listener or a timer a request would cost the hot path microseconds.
 */
export class Connections {
  readonly #connections = new Map<Socket, Connection>()
  readonly #hungUp: (request: FastifyRequest) => void
  readonly #stallMs: number

  constructor(hungUp: (request: FastifyRequest) => void, stallMs: number) {
    this.#hungUp = hungUp
    this.#stallMs = stallMs
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#connections.set(socket, { open: [], written: 0, since: performance.now() })
      socket.on('close', () => {
        const { open } = this.#connections.get(socket)!
        this.#connections.delete(socket)
        for (const request of open) this.#hungUp(request)
      })
    })
    const look = setInterval(() => this.#cutStalled(performance.now()), Math.min(LOOK_MS, this.#stallMs)).unref()
    server.on('close', () => clearInterval(look))
  }

  began(request: FastifyRequest): void {
    this.#connections.get(request.raw.socket)?.open.push(request)
  }

  /** False when the caller had hung up before. */
  answered(request: FastifyRequest): boolean {
    const open = this.#connections.get(request.raw.socket)?.open
    if (open === undefined) return false
    if (open.length === 1) return open.pop() === request
    const index = open.indexOf(request)
    if (index !== -1) open.splice(index, 1)
    return index !== -1
  }

  /** Ends connections that have had bytes to take for too long and took none. */
  #cutStalled(now: number): void {
    for (const [socket, connection] of this.#connections) {
      const written = socket.bytesWritten - socket.writableLength
      if (written !== connection.written || socket.writableLength === 0) {
        connection.written = written
        connection.since = now
      } else if (now - connection.since >= this.#stallMs) socket.destroy()
    }
  }
}
