import { rawRequest } from './raw-socket.js'

/** Requests for forecasts whose body comes in chunks of `size` bytes each: of one byte, six bytes of wire for each of the body. */
export function inChunksOf(size: number, body: string, headers: Record<string, string> = {}): string {
  const { length } = body
  const chunks = Array.from({ length: Math.ceil(length / size) }, (_, at) => {
    const chunk = body.slice(at * size, (at + 1) * size)
    return `${chunk.length.toString(16)}\r\n${chunk}\r\n`
  })
  const head = rawRequest('', { 'transfer-encoding': 'chunked', ...headers }).replace(/content-length: 0\r\n/, '')
  return `${head}${chunks.join('')}0\r\n\r\n`
}
