import { openRaw, type RawSocket, rawRequest, statusesIn } from './raw-socket.js'

const TRICKLE_MS = 100

/** Sends `bytes` one at a time, slowly, whatever comes back; stops when the connection is gone. */
export function trickle({ socket }: RawSocket, bytes: string): void {
  let at = 0
  const timer = setInterval(() => void socket.write(bytes[at++ % bytes.length]!), TRICKLE_MS)
  socket.once('close', () => clearInterval(timer))
}

/** Clients who send the first part of a large body at once, and what follows a byte at a time. */
export interface SlowLargeSenders {
  /** their answers so far, by status */
  statuses: Record<string, number>
  stop(): void
}

/** More than HAProxy keeps of a body before it sends it on. */
const AT_ONCE = 70_000
const LARGE = 200_000

const WITH_LENGTH = rawRequest('', { 'content-length': `${LARGE}` }) + ' '.repeat(AT_ONCE)
const CHUNK = `1\r\n \r\n`
const IN_CHUNKS =
  'POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n' +
  `${AT_ONCE.toString(16)}\r\n${' '.repeat(AT_ONCE)}\r\n`

/** Keeps `count` such clients connected, half of them with bodies in chunks. Who is cut off comes again. */
export async function slowLargeSenders(port: number, count: number): Promise<SlowLargeSenders> {
  const statuses: Record<string, number> = {}
  const sockets = new Map<number, RawSocket>()
  let going = true
  const send = async (index: number): Promise<void> => {
    const raw = await openRaw(port)
    sockets.set(index, raw)
    raw.socket.write(index % 2 === 0 ? WITH_LENGTH : IN_CHUNKS)
    trickle(raw, index % 2 === 0 ? ' ' : CHUNK)
    void raw.closed.then(text => {
      for (const status of statusesIn(text)) statuses[status] = (statuses[status] ?? 0) + 1
      raw.socket.destroy()
      if (going) void send(index)
    })
  }
  await Promise.all(Array.from({ length: count }, (_, index) => send(index)))
  return {
    statuses,
    stop() {
      going = false
      for (const { socket } of sockets.values()) socket.destroy()
    }
  }
}
