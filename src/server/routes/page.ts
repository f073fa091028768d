import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'

const ASSETS = [
  'page.css',
  'page.js',
  'api.js',
  'body.js',
  'cells.js',
  'chart.js',
  'csv.js',
  'dom.js',
  'download.js',
  'forecast.js',
  'format.js',
  'key.js',
  'live.js',
  'metrics.js',
  'model.js',
  'own-table.js',
  'pandas.js',
  'read-text.js',
  'readout.js',
  'result.js',
  'snippets.js',
  'table.js',
  'takeaway.js',
  'unreadable.js',
  'windows.js'
]
const TYPES: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' }

const here = import.meta.url
/** Beside the built service, or beside the folder of the routes. */
const UI = here.endsWith('.ts') ? '../ui/' : './ui/'

/** Everything that the page needs comes from here, and it may load nothing else. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** `GET /`: a page for a person. Static files, read once and shared by all answers; one route for all, so that each adds no metric of its own. */
export async function pageRoute(app: FastifyInstance): Promise<void> {
  const read = (file: string) => readFile(new URL(`${UI}${file}`, here))
  const page = await read('index.html')
  const assets = new Map<string, Buffer>()
  for (const file of ASSETS) assets.set(file, await read(file))

  app.get('/', { schema: { hide: true } }, (_request, reply) => send(reply, '.html', page))
  app.get<{ Params: { file: string } }>('/page/:file', { schema: { hide: true } }, (request, reply) => {
    const { file } = request.params
    const bytes = assets.get(file)
    return bytes === undefined ? reply.callNotFound() : send(reply, extname(file), bytes)
  })
}

/** Never from a cache: a page of one release must not run with the scripts of another. */
function send(reply: FastifyReply, extension: string, bytes: Buffer): FastifyReply {
  return reply
    .type(`${TYPES[extension]}; charset=utf-8`)
    .header('content-security-policy', POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .send(bytes)
}
