import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { Exchange, FastRoute } from '../../src/server/http/fast-path.js'
import { loadConfig } from '../../src/settings/config.js'
import { listenBounded } from './bounded.js'

interface Taken {
  exchange: Exchange
  body: string
}

/** A server whose fast route `/fast` takes what `takes` says, and leaves the rest to a handler that answers with what it was sent. */
export async function fastServer(
  t: Test,
  env: Record<string, string> = {},
  takes: (body: string) => boolean = () => true,
  callerOf?: FastRoute['callerOf']
) {
  const taken: Taken[] = []
  const ended: [string, number][] = []
  const asked: string[] = []
  const drain = { draining: false }
  const fast: FastRoute = {
    isFor: url => url === '/fast',
    isJson: true,
    maxBytes: 1000,
    nameOf: given => given ?? 'unnamed',
    callerOf,
    handle(exchange, body) {
      if (!takes(body.toString())) return false
      taken.push({ exchange, body: body.toString() })
      return true
    },
    ended: ({ id }, status) => void ended.push([id, status])
  }
  const metrics = { connectionError: () => undefined }
  const options = { config: loadConfig(env), metrics, drain, fast: [fast], hungUp: () => undefined }
  const { server, open } = await listenBounded(t, (request, response) => echo(asked, request, response), options)
  return { server, taken, ended, asked, drain, open }
}

/** The framework's part: says what has come, in full. */
function echo(asked: string[], request: IncomingMessage, response: ServerResponse): void {
  let body = ''
  request.on('data', chunk => (body += chunk))
  request.on('end', () => {
    asked.push(body)
    response.end(`framework:${request.method} ${request.url} ${body};`)
  })
}

/** A request for the fast route, its headers as given. */
export function ask(body: string, headers: string[] = [], start = 'POST /fast HTTP/1.1'): string {
  const own = ['Host: h', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]
  const names = headers.map(header => header.split(':')[0]!.toLowerCase())
  const kept = own.filter(header => !names.includes(header.split(':')[0]!.toLowerCase()))
  return `${[start, ...kept, ...headers].join('\r\n')}\r\n\r\n${body}`
}
