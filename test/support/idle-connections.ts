import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Connections that are opened at a time, so that the kernel need not drop any before they are taken. */
const AT_ONCE = 128

/** Connections that stay open and, but for one request each, say nothing. */
export interface IdleConnections {
  /** how many the other side has not closed, as far as has been heard */
  open(): number
  close(): void
}

/** Opens `count` connections and sends `request` over each, if there is one; resolves when the kernel has taken all. */
export async function openIdle(port: number, count: number, request: string): Promise<IdleConnections> {
  const open = new Set<Socket>()
  let left = count
  const opener = async () => {
    while (left-- > 0) {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => undefined).on('close', () => open.delete(socket))
      socket.resume()
      open.add(socket)
      await Promise.race([once(socket, 'connect'), once(socket, 'close')])
      if (request !== '') socket.write(request)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
  return {
    open: () => open.size,
    close: () => open.forEach(socket => socket.destroy())
  }
}
