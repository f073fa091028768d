import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { boundedServer, type ServerOptions } from '../../src/server/http/connections.js'

/** A connection to it, and what came back. */
export interface Caller {
  socket: Socket
  text: string
  /** the server has ended it in order: a reset does not count */
  ended: boolean
}

export const portOf = (server: Server) => (server.address() as AddressInfo).port

/** A bounded server on a free port of this host, and a way to open connections to it; all end with the test. */
export async function listenBounded(t: Test, handler: RequestListener, options: ServerOptions) {
  const server = boundedServer(handler, options)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const open = async (): Promise<Caller> => {
    const socket = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
    sockets.push(socket)
    const caller = { socket, text: '', ended: false }
    socket.on('data', chunk => (caller.text += chunk.toString()))
    socket.on('end', () => (caller.ended = true))
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return caller
  }
  return { server, open }
}
