import t, { type Test } from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { Ledger } from '../../support/ledger.js'
import { startService } from '../../support/service.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const ADMIN_TOKEN = 'token-of-the-methods-test'
const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
const options = { env: { ADMIN_TOKEN } }

/** Without the book's comparison with the metrics, which leave out who asks for the metrics. */
async function asking(t: Test, env: Record<string, string>, ask: (ledger: Ledger) => Promise<void>): Promise<void> {
  const service = await startService({ env })
  const ledger = new Ledger(service.url)
  await ask(ledger)
  t.same(ledger.lost, [], 'no request is lost')
  ledger.close()
  t.equal(await service.stop(), 0)
}

const READ = ['/healthz', '/readyz', '/ready', '/model', '/model/example', '/predict_ping', '/metrics', '/openapi.json']
const PATHS: [string, string, string[]][] = [
  ...[...READ, '/', '/docs', '/docs/static/swagger-ui.css', '/page/page.js'].map((path): [string, string, string[]] => [
    path,
    'GET, HEAD',
    ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
  ]),
  ...['/predict', '/predict/batch', '/admin/reload', '/admin/rollback'].map((path): [string, string, string[]] => [
    path,
    'POST',
    ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
  ])
]

t.test('a path that is there, asked with another method, is a 405 that says which it has', t =>
  asking(t, options.env, async ledger => {
    for (const [path, allow, methods] of PATHS) {
      for (const method of methods) {
        const answer = await ledger.send('', { path, method, headers })
        t.match(
          [answer.status, answer.headers.allow, answer.json?.error],
          [405, allow, { code: 'method_not_allowed', message: `this path takes ${allow} only`, retryable: false }],
          `${method} ${path}`
        )
      }
    }
    const head = await ledger.send('', { path: '/predict', method: 'HEAD' })
    t.match([head.status, head.headers.allow, head.text], [405, 'POST', ''])
  })
)

t.test('a body that comes with another method is not looked at, however large, and the connection goes on', t =>
  withService(t, options, async ({ ledger }) => {
    for (const body of ['{', bodyOf(bundle, 0), 'x'.repeat(2_000_000)]) {
      t.equal((await ledger.send(body, { method: 'PUT' })).status, 405)
    }
    t.equal((await ledger.send(bodyOf(bundle, 0))).status, 200)
  })
)

t.test('who may not know that a path is there does not learn it by another method', t =>
  asking(t, { ADMIN_PORT: '0', ADMIN_TOKEN }, async ledger => {
    for (const path of ['/metrics', '/openapi.json', '/docs', '/', '/admin/reload']) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await ledger.send('', { path, method, headers })
        t.match([answer.status, answer.json?.error?.code], [404, 'not_found'], `${method} ${path}`)
        t.notOk(answer.headers.allow)
      }
    }
  })
)

t.test('an admin route asks for its token before it says anything', t =>
  withService(t, options, async ({ ledger }) => {
    t.equal((await ledger.get('/admin/reload')).status, 401)
  })
)

t.test('what is not there is a 404 in the form of errors, under every prefix and with every method', t =>
  withService(t, options, async ({ ledger }) => {
    const nowhere = ['/nope', '/docs/nope', '/docs/static/nope.js', '/docs/static/', '/page/nope.js', '/model/nope']
    for (const path of [
      ...nowhere,
      '/predict/',
      '/predict/1',
      '/admin/nope',
      '/openapi.yaml',
      '/docs/static/../../x'
    ]) {
      const { status, json } = await ledger.get(path)
      t.match([status, json?.error], [404, { code: 'not_found', retryable: false }], path)
    }
    t.equal((await ledger.send('', { path: '/nope', method: 'DELETE' })).status, 404)
    t.equal((await ledger.send('', { path: '/predict', method: 'PROPFIND' })).status, 404)
  })
)

t.test('every page of the documentation is there', t =>
  withService(t, options, async ({ ledger }) => {
    for (const path of ['', '/', '/json', '/yaml', '/static/swagger-initializer.js', '/static/swagger-ui.css']) {
      t.equal((await ledger.get(`/docs${path}`)).status, 200, path)
    }
  })
)

t.test('a field of the query that a route does not have is refused by its name', t =>
  asking(t, options.env, async ledger => {
    const body = bodyOf(bundle, 0)
    const wrong = (path: string) => ({ status: 400, json: { error: { code: 'unknown_field', path } } })
    for (const query of ['x=1', 'x', 'inference_length=5&x=1', 'x=1&x=2']) {
      const field = query.startsWith('inference') ? '/inference_length' : '/x'
      t.match(await ledger.send(body, { path: `/predict?${query}` }), wrong(field), query)
    }
    t.match(await ledger.send(body, { path: '/predict?__proto__=1' }), wrong('/__proto__'))
    for (const path of ['/predict_ping?x=1', '/model?x=1', '/model/example?index=1&x=1']) {
      t.match(await ledger.get(path), wrong('/x'), path)
    }
    t.match(await ledger.send('', { path: '/admin/reload?x=1', headers }), wrong('/x'))
    t.equal((await ledger.send(body, { path: '/predict?' })).status, 200)
    // Probes and pages may carry what others put there.
    for (const path of ['/healthz?x=1', '/readyz?x=1', '/metrics?x=1', '/?x=1', '/docs?x=1']) {
      t.equal((await ledger.get(path)).status, 200, path)
    }
  })
)
