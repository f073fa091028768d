import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import Fastify, { type FastifyInstance } from 'fastify'
import { BenchError } from '../errors.js'
import type { LiveState } from './state.js'

const HOST = '127.0.0.1'

/** The page loads what comes from here, and nothing else. uPlot sizes its parts by script, which needs no inline style. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store'
}

export interface LivePage {
  url: string
  /** Ends every stream and frees the port. */
  close(): Promise<void>
}

/**
 * Serves a sweep under way to browsers of this machine: `GET /` is the page, `GET /events` a `Snapshot` as a server-sent
 * event after each change, `POST /stop` ends the sweep in order. Only who can read the page can stop: the token in it is
 * new in each run, and a name that another site has pointed at this machine is refused.
 * @param port 0 takes a free one
 * @throws {BenchError} port_in_use
 */
export async function startPage(state: LiveState, port: number): Promise<LivePage> {
  const app = Fastify({ forceCloseConnections: true })
  const token = randomBytes(32).toString('hex')
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    if (!['127.0.0.1', 'localhost'].includes(request.hostname))
      return reply.code(403).send({ message: 'ask for 127.0.0.1' })
  })
  await staticFiles(app, token)
  events(app, state)
  app.post('/stop', async (request, reply) => {
    if (request.headers['x-token'] !== token) return reply.code(403).send({ message: 'x-token is not of this run' })
    const { isFinished, isStopping } = state.snapshot()
    if (!isFinished && !isStopping) state.stop('stopped on its page')
    return reply.code(202).send({ message: 'the sweep stops' })
  })
  try {
    return { url: await app.listen({ host: HOST, port }), close: () => app.close() }
  } catch (error) {
    await app.close()
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new BenchError('port_in_use', `port ${port} of the live page is in use: choose another port with --ui-port`, {
      cause: error
    })
  }
}

async function staticFiles(app: FastifyInstance, token: string): Promise<void> {
  const own = (name: string) => readFile(new URL(`ui/${name}`, import.meta.url), 'utf8')
  const plot = (name: string) => readFile(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8')
  const html = (await own('live.html')).replace('TOKEN', token)
  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(html))
  for (const [name, type, text] of [
    ['live.css', 'text/css', await own('live.css')],
    ['live.js', 'text/javascript', await own('live.js')],
    ['uplot.css', 'text/css', await plot('uPlot.min.css')],
    ['uplot.js', 'text/javascript', await plot('uPlot.iife.min.js')]
  ] as const) {
    app.get(`/${name}`, (_request, reply) => reply.type(`${type}; charset=utf-8`).send(text))
  }
}

/** A reader who is slower than the sweep misses snapshots in between, never the newest. */
function events(app: FastifyInstance, state: LiveState): void {
  const readers = new Set<ServerResponse>()
  const send = (to: ServerResponse) => {
    if (!to.writableNeedDrain) to.write(`data: ${JSON.stringify(state.snapshot())}\n\n`)
  }
  const sendAll = () => readers.forEach(send)
  state.on('change', sendAll)
  app.addHook('preClose', async () => {
    state.off('change', sendAll)
    for (const reader of readers) reader.end()
  })
  app.get('/events', (_request, reply) => {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    raw.on('drain', () => send(raw))
    raw.on('close', () => readers.delete(raw))
    readers.add(raw)
    send(raw)
  })
}
