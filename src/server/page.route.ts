import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8']
] as const

/** Everything that the page needs comes from here, and it may load nothing else. */
const POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:"

/** `GET /`: a page for a person. Three static files, read once. */
export async function pageRoute(app: FastifyInstance): Promise<void> {
  for (const [path, file, type] of FILES) {
    const text = await readFile(new URL(`./page/${file}`, import.meta.url), 'utf8')
    app.get(path, { schema: { hide: true } }, (_request, reply) =>
      reply.type(type).header('content-security-policy', POLICY).header('x-content-type-options', 'nosniff').send(text)
    )
  }
}
