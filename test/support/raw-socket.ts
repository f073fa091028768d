import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A TCP connection that sends what no HTTP client would, and keeps what comes back. */
export interface RawSocket {
  socket: Socket
  /** everything received so far */
  text(): string
  /** resolves to everything received when the connection has ended, by FIN or by a reset */
  closed: Promise<string>
}

export async function openRaw(port: number): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  // The other side's FIN or reset is what a test waits for, not an error.
  socket.on('error', () => undefined)
  const closed = new Promise<string>(resolve => {
    socket.once('end', () => resolve(text)).once('close', () => resolve(text))
  })
  return { socket, text: () => text, closed }
}

/** Sends bytes and resolves to everything that came back until the other side closed. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const { socket, closed } = await openRaw(port)
  socket.write(bytes)
  const text = await closed
  socket.destroy()
  return text
}

/** A whole request as it goes over the wire. */
export function rawRequest(body: string, headers: Record<string, string> = {}, path = '/predict'): string {
  const all = {
    host: 'localhost',
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** The status of each answer in what came back. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1])).filter(status => status !== 100)
}
