import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { openBrowser } from '../../support/browser.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer, isGolden } from '../../support/golden.js'
import type { Answer } from '../../support/ledger.js'
import { spawnService, startService } from '../../support/service.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const body = bodyOf(bundle, 0)
const right = goldenAnswer(bundle, 0)
const A = 'https://a.example'
const B = 'http://b.example:8080'
const ASKING = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'content-type,x-api-key'
}

t.test('a page of an origin on the list may call and read the answer, its headers and the refusals', t =>
  withService(t, { env: { CORS_ORIGINS: `${A},${B}` } }, async ({ ledger }) => {
    for (const origin of [A, B]) {
      const { status, headers } = await ledger.send(body, { headers: { origin }, right })
      t.equal(status, 200)
      t.equal(headers['access-control-allow-origin'], origin)
      t.equal(
        headers['access-control-expose-headers'],
        'x-request-id, server-timing, retry-after, inference-header-content-length'
      )
      t.match(headers.vary, 'origin')
      const refused = await ledger.send('{', { headers: { origin } })
      t.equal(refused.status, 400)
      t.equal(refused.headers['access-control-allow-origin'], origin)
    }
    const live = await ledger.get('/healthz', { origin: A })
    t.equal(live.headers['access-control-allow-origin'], A)
  })
)

t.test('a browser that asks first is told what it may send', t =>
  withService(t, { env: { CORS_ORIGINS: `${A},${B}` } }, async ({ ledger }) => {
    for (const path of ['/predict', '/predict/batch', '/model', '/healthz']) {
      const { status, headers, text } = await ledger.send('', {
        method: 'OPTIONS',
        path,
        headers: { origin: A, ...ASKING }
      })
      t.equal(status, 204, path)
      t.equal(text, '')
      t.match(headers, {
        'access-control-allow-origin': A,
        'access-control-allow-methods': 'GET, HEAD, POST',
        'access-control-allow-headers': 'content-type,x-api-key',
        'access-control-max-age': '600',
        vary: 'origin, access-control-request-headers'
      })
    }
  })
)

t.test('other origins, and routes that are for no page elsewhere, are answered as ever', t =>
  withService(t, { env: { CORS_ORIGINS: `${A},${B}` } }, async ({ ledger }) => {
    for (const origin of ['https://evil.example', 'http://a.example', `${A}:444`, `${A}.evil.example`, 'null', '']) {
      const { status, headers } = await ledger.send(body, { headers: { origin }, right })
      t.equal(status, 200, origin)
      t.notOk('access-control-allow-origin' in headers, origin)
      const asked = await ledger.send('', { method: 'OPTIONS', headers: { origin, ...ASKING } })
      t.equal(asked.status, 405, origin)
      t.notOk('access-control-allow-origin' in asked.headers, origin)
    }
    const options = await ledger.send('', { method: 'OPTIONS', headers: { origin: A } })
    t.equal(options.status, 405, 'who does not ask for leave is told the methods')
    for (const path of ['/openapi.json', '/docs', '/', '/nowhere']) {
      t.notOk('access-control-allow-origin' in (await ledger.get(path, { origin: A })).headers, path)
    }
    t.equal((await ledger.send(body, { right })).status, 200, 'no page at all')
  })
)

t.test('without the setting no answer says anything of origins', t =>
  withService(t, {}, async ({ ledger }) => {
    const { headers } = await ledger.send(body, { headers: { origin: A }, right })
    t.same(
      Object.keys(headers).filter(name => /^(access-control|vary)/.test(name)),
      []
    )
    t.equal((await ledger.send('', { method: 'OPTIONS', headers: { origin: A, ...ASKING } })).status, 405)
  })
)

const BAD = [
  'b.example',
  `${A}/`,
  `${A}/page`,
  `${A},`,
  `${A}, ${B}`,
  `*,${A}`,
  'https://A.example',
  `${A}:443`,
  'null'
]

t.test('a list that no origin of a browser could match stops the start', async t => {
  for (const CORS_ORIGINS of BAD) {
    const service = spawnService({ env: { CORS_ORIGINS } })
    t.equal(await service.exit, 1, CORS_ORIGINS)
    t.equal(service.lines.length, 1)
    t.match(service.lines[0], /^gru-inference: CORS_ORIGINS must /)
    t.notOk(service.lines[0]!.includes(CORS_ORIGINS), 'the value is not shown')
  }
})

/** A site with an empty page, at an origin of its own. */
async function site(t: Test): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test(
  'in a browser, a page elsewhere forecasts with a key where its origin is on the list, and only there',
  async t => {
    const [listed, other] = await Promise.all([site(t), site(t)])
    const API_KEYS_FILE = `${t.testdir({ keys: keyLine('page', 'key-of-the-page') })}/keys`
    const service = await startService({ env: { CORS_ORIGINS: listed, API_KEYS_FILE } })
    t.teardown(() => service.process.kill('SIGKILL'))
    const browser = await openBrowser(t)
    const forecast = async (origin: string, key: string) => {
      const page = await browser.newPage()
      await page.goto(origin)
      const asked = { url: `${service.url}/predict`, text: JSON.stringify(body), key }
      return page.evaluate(async ({ url, text, key }) => {
        const headers = { 'content-type': 'application/json', 'x-api-key': key, 'x-request-id': 'of-the-page' }
        try {
          const response = await fetch(url, { method: 'POST', headers, body: text })
          const read = (name: string) => response.headers.get(name)
          const [id, timing] = [read('x-request-id'), read('server-timing')]
          return { status: response.status, id, timing, json: (await response.json()) as unknown }
        } catch (error) {
          return { failed: String(error) }
        }
      }, asked)
    }
    const { json, ...rest } = await forecast(listed, 'key-of-the-page')
    t.match(rest, { status: 200, id: 'of-the-page', timing: /^validate;dur=/ })
    t.ok(isGolden(bundle, bundle.golden.windows[0]!.forecast, (json as Answer).predictions![0]!))
    t.match(await forecast(listed, 'wrong'), { status: 401, json: { error: { code: 'unauthorized' } } })
    t.match(await forecast(other, 'key-of-the-page'), { failed: /TypeError/ })
  }
)

t.test('with * a page of any origin may call', async t => {
  const service = await startService({ env: { CORS_ORIGINS: '*' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const browser = await openBrowser(t)
  const page = await browser.newPage()
  await page.goto(await site(t))
  const status = await page.evaluate(
    async ({ url, text }) =>
      (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text })).status,
    { url: `${service.url}/predict`, text: JSON.stringify(body) }
  )
  t.equal(status, 200)
})

t.test('with * every origin gets the same answer, that of a file too, which no cache need tell apart', t =>
  withService(t, { env: { CORS_ORIGINS: '*' } }, async ({ ledger }) => {
    for (const origin of [A, 'null']) {
      const { headers } = await ledger.send(body, { headers: { origin }, right })
      t.equal(headers['access-control-allow-origin'], '*')
      t.notOk('vary' in headers)
      t.notOk('access-control-allow-credentials' in headers)
    }
  })
)
