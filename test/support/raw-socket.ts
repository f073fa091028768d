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

/** A request without a body. */
export function rawGet(path: string, headers: Record<string, string> = {}, method = 'GET'): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

export interface RawAnswer {
  status: number
  head: string
  body: string
}

/** The whole answers in what came back, told apart by their lengths; those to HEAD stand in `bodiless`, by their place. */
export function answersIn(text: string, bodiless: ReadonlySet<number> = new Set()): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end === -1) return answers
    const head = text.slice(at, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    const length = bodiless.has(answers.length) ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
    at = end + 4 + length
    if (at > text.length) return answers
    if (status !== 100) answers.push({ status, head, body: text.slice(end + 4, at) })
  }
}

/** The status of each answer in what came back. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1])).filter(status => status !== 100)
}
