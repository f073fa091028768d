import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A whole request that has come in. */
export interface Asked {
  socket: Socket
  /** from 1, over all connections */
  number: number
  body: string
  /** answers with a body; `head` are further header lines, each with its end */
  answer(status: number, body: string, head?: string): void
}

/** A server that reads HTTP and does with each request what a test wants, however badly behaved. */
export interface MoodyServer {
  url: string
  /** requests that have come in */
  asked: number
  /** connections that are open, and all that were ever made */
  open: Set<Socket>
  connections: number
  close(): Promise<void>
}

export async function moodyServer(onRequest: (asked: Asked) => void): Promise<MoodyServer> {
  const tcp = createServer({ allowHalfOpen: true })
  const open = new Set<Socket>()
  const server: MoodyServer = { url: '', asked: 0, open, connections: 0, close }
  tcp.on('connection', socket => {
    open.add(socket)
    server.connections++
    let text = ''
    socket.setEncoding('utf8').on('error', () => undefined)
    socket.on('end', () => socket.end()).on('close', () => open.delete(socket))
    socket.on('data', (chunk: string) => {
      text += chunk
      const start = text.indexOf('\r\n\r\n') + 4
      const length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0)
      if (start < 4 || text.length < start + length) return
      const body = text.slice(start, start + length)
      text = text.slice(start + length)
      const answer: Asked['answer'] = (status, body, head = '') =>
        void socket.write(`HTTP/1.1 ${status} X\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      onRequest({ socket, number: ++server.asked, body, answer })
    })
  })
  async function close(): Promise<void> {
    for (const socket of open) socket.destroy()
    tcp.close()
    await once(tcp, 'close')
  }
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  server.url = `http://127.0.0.1:${(tcp.address() as AddressInfo).port}/predict`
  return server
}
