import { Agent, request } from 'node:http'

export interface BodySent {
  port: number
  bytes: string
  /** without a length */
  inChunks: boolean
  path?: string
  headers?: Record<string, string>
}

/**
 * Sends a body over a connection of its own, and resolves to the status of the answer, or to the error that came in its place.
 */
export function sendBody({ port, bytes, inChunks, path = '/predict', headers }: BodySent): Promise<number | string> {
  const agent = new Agent({ keepAlive: false })
  const length = inChunks ? {} : { 'content-length': `${bytes.length}` }
  return new Promise(resolve => {
    const sent = request({
      port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', ...length, ...headers }
    })
    sent.on('response', answer => {
      answer.on('error', ({ message }) => resolve(message))
      answer.resume().on('end', () => resolve(answer.statusCode!))
    })
    sent.on('error', ({ message }) => resolve(message))
    const piece = 65_536
    let at = 0
    const write = () => {
      while (at < bytes.length) {
        const more = sent.write(bytes.slice(at, (at += piece)))
        if (!more) return void sent.once('drain', write)
      }
      sent.end()
    }
    write()
  })
}
