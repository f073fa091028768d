import { once } from 'node:events'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { expensiveBodies } from '../../support/expensive-bodies.js'
import { goldenAnswer } from '../../support/golden.js'
import { Ledger } from '../../support/ledger.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, type Scrape, scrape } from '../../support/scrape.js'
import { type Service, startService } from '../../support/service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'
import { unhandled } from '../../support/unhandled.js'

const bundle = gru()
const ADMIN_TOKEN = 'token-of-the-operators-test'
const authorization = `Bearer ${ADMIN_TOKEN}`
/** What a caller would write to be taken for somebody else. */
const DISGUISE = { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1', 'x-real-ip': '::1', host: 'localhost' }

/** The operators' routes, in the ways that their paths can be written. */
const ROUTES: [method: string, path: string][] = [
  ['GET', '/metrics'],
  ['HEAD', '/metrics'],
  ['GET', '/metrics?x=1'],
  ['GET', '/%6detrics'],
  ['GET', 'http://localhost/metrics'],
  ['GET', '/docs'],
  ['GET', '/docs/static/swagger-ui.css'],
  ['GET', '/%6fpenapi.json'],
  ['GET', '/openapi.json'],
  ['GET', '/'],
  ['GET', '/page/page.js'],
  ['POST', '/admin/reload'],
  ['POST', '/%61dmin/reload'],
  ['POST', 'http://127.0.0.1/admin/rollback']
]

interface Answer {
  status: number
  text: string
}

async function ask(
  address: string,
  port: number,
  [method, path]: [string, string],
  token = authorization
): Promise<Answer> {
  const sent = request({
    host: address,
    port,
    method,
    path,
    agent: false,
    headers: { ...DISGUISE, authorization: token }
  })
  sent.end()
  const [answer] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number }]
  return { status: answer.statusCode, text: await text(answer) }
}

/** Addresses of this host by which a caller is not on it, as far as the service can see. */
function outerAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  return all.filter(({ internal, address }) => !internal && !address.startsWith('fe80')).map(({ address }) => address)
}

async function start(t: Test, env: Record<string, string>): Promise<Service> {
  const service = await startService({ env: { ADMIN_TOKEN, ...env } })
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

/** The port of the operators, from the line that says it. */
async function operatorsOf(service: Service): Promise<number> {
  return Number(/at http:\S+:(\d+)"/.exec(await service.line('Operators are answered'))![1])
}

/** The routes that stand in the metrics. */
const routesIn = (series: Scrape) =>
  new Set([...series.keys()].flatMap(name => /route="([^"]*)"/.exec(name)?.[1] ?? []))

/** Asks for everything that operators have by an address that is not for them. */
async function findsNothing(t: Test, address: string, port: number): Promise<void> {
  const nothing = await ask(address, port, ['GET', '/no-such-route'])
  t.match(nothing, { status: 404, text: '"code":"not_found"' })
  for (const route of ROUTES) {
    const answer = await ask(address, port, route)
    t.equal(answer.status, 404, `${address} ${route.join(' ')}`)
    t.equal(answer.text, route[0] === 'HEAD' ? '' : nothing.text, 'as what does not exist')
  }
  for (const path of ['/healthz', '/readyz', '/model', '/predict_ping']) {
    t.equal((await ask(address, port, ['GET', path])).status, 200, `${address} ${path} is for everybody`)
  }
}

async function findsAll(t: Test, address: string, port: number): Promise<void> {
  for (const route of ROUTES) {
    const { status } = await ask(address, port, route, 'Bearer another')
    t.equal(status, route[0] === 'POST' ? 401 : 200, `${address} ${route.join(' ')}`)
  }
}

t.test(
  'without a port of their own, operators are whoever calls from this host, whatever a caller says of himself',
  async t => {
    const service = await start(t, { HOST: '::' })
    const outer = outerAddresses()
    t.ok(outer.length > 0, 'this host has an address that others could call it by')
    const before = await scrape(`http://127.0.0.1:${service.port}`)
    for (const address of outer) await findsNothing(t, address, service.port)
    const after = await scrape(`http://127.0.0.1:${service.port}`)
    t.same(
      [...routesIn(after)].sort(),
      [...routesIn(before), '/metrics', 'unmatched', '/healthz', '/readyz', '/model', '/predict_ping'].sort()
    )
    const unmatched = 'gru_request_duration_seconds_count{route="unmatched",status="404"}'
    t.equal(grown(unmatched, before, after), outer.length * (ROUTES.length + 1))
    for (const address of ['127.0.0.1', '127.9.8.7', '::1']) await findsAll(t, address, service.port)
    t.equal(await service.stop(), 0)
  }
)

t.test(
  'with a port of their own, everything is there, and on the other only what callers need, for this host too',
  async t => {
    const service = await start(t, { HOST: '0.0.0.0', ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' })
    const port = await operatorsOf(service)
    for (const address of ['127.0.0.1', ...outerAddresses().filter(one => !one.includes(':'))]) {
      await findsNothing(t, address, service.port)
      if (address !== '127.0.0.1') await t.rejects(ask(address, port, ['GET', '/metrics']), { code: 'ECONNREFUSED' })
    }
    await findsAll(t, '127.0.0.1', port)
    const ledger = new Ledger(`http://127.0.0.1:${port}`)
    t.equal((await ledger.send(bodyOf(bundle, 0), { right: goldenAnswer(bundle, 0) })).status, 200)
    t.same([ledger.lost, ledger.wrong], [[], []], 'the page forecasts there')
    t.equal((await ledger.get('/model')).status, 200)
    ledger.close()
    t.equal(await service.stop(), 0)
    t.same(unhandled(service), [])
  }
)

t.test('who comes by the port of the operators has the same bounds', async t => {
  const service = await start(t, { ...SLOW, ADMIN_PORT: '0', REQUEST_TIMEOUT_MS: '500', RUN_TIMEOUT_MS: '100' })
  const port = await operatorsOf(service)
  const url = `http://127.0.0.1:${port}`
  const slow = await openRaw(port)
  slow.socket.write('GET /metrics HTTP/1.1\r\nhost: local')
  t.match(await slow.closed, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s, 'slow headers')
  const odd = await openRaw(port)
  odd.socket.write('hello?\r\n\r\n')
  t.match(await odd.closed, /^HTTP\/1\.1 400 .*"code":"bad_request"/s, 'no HTTP')
  const before = await scrape(url)
  const caller = await openRaw(port)
  caller.socket.write(rawRequest(JSON.stringify(slowBody(1000))))
  await eventually('it runs', async () => !(await fetch(`${url}/readyz`)).ok)
  caller.socket.resetAndDestroy()
  await eventually(
    'the hang-up is counted',
    async () => grown('gru_rows_cancelled_total', before, await scrape(url)) === 1
  )
  for (const { socket } of [slow, odd]) socket.destroy()
  t.equal(await service.stop(), 0)
})

t.test('operators see a drain to its end, and their connections hold nothing up', async t => {
  const env = { ...SLOW, ADMIN_PORT: '0', BATCH_CAP: '1', DRAIN_DELAY_MS: '0', GRACE_MS: '60000', DEADLINE_MS: '20000' }
  const service = await start(t, { ...env, RUN_TIMEOUT_MS: '60000' })
  const url = `http://127.0.0.1:${await operatorsOf(service)}`
  const ledger = new Ledger(service.url)
  const kept = await openRaw(Number(new URL(url).port))
  kept.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await eventually('it is idle', () => kept.text().endsWith('}'))
  const running = Array.from({ length: 3 }, () => ledger.send(slowBody(1000), { right: slowAnswer() }))
  await eventually('they are in', async () => (await scrape(url)).get('gru_requests_in_flight') === 3)
  service.process.kill('SIGTERM')
  const isClosed = () =>
    openRaw(service.port).then(
      raw => void raw.socket.destroy(),
      () => true
    )
  await eventually('callers find the listener closed', isClosed)
  const during = await scrape(url)
  t.equal(during.get('gru_ready'), 0, 'operators are still answered')
  t.ok(during.get('gru_requests_in_flight')! > 0, 'while callers wait for what they asked for')
  for (const { status } of await Promise.all(running)) t.equal(status, 200)
  t.equal(await service.exit, 0)
  await kept.closed
  kept.socket.destroy()
  ledger.close()
  t.same([ledger.lost, ledger.wrong, unhandled(service)], [[], [], []])
})

t.test('what a request to no route brings with it is not read as JSON', async t => {
  const service = await start(t, {})
  const ledger = new Ledger(service.url)
  for (const [what, body] of Object.entries(expensiveBodies(bundle, 65_536))) {
    t.equal((await ledger.send(body, { path: '/nowhere' })).status, 404, what)
    t.equal((await ledger.send(body, { path: '/docs/nowhere' })).status, 405, what)
  }
  t.equal((await ledger.send('no JSON', { path: '/admin/reload', headers: { authorization } })).status, 200)
  t.same(ledger.lost, [])
  ledger.close()
  t.equal(await service.stop(), 0)
})
