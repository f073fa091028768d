import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

/** Opens `count` connections, sends `bytes` over each and reads nothing of what comes back. */
export async function unreadPipelines(port: number, bytes: string, count = 1): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ port, host: '127.0.0.1' }).pause()
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(bytes)
      return socket
    })
  )
}
