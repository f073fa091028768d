import t, { type Test } from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { Ledger } from '../../support/ledger.js'
import { residentMb } from '../../support/process-facts.js'
import { rawGet, rawRequest } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { type Service, startService } from '../../support/service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'
import { underLoad } from '../../support/under-load.js'
import { unhandled } from '../../support/unhandled.js'
import { unreadPipelines } from '../../support/unread.js'

const bundle = gru()
const BUNDLE_JS = '/docs/static/swagger-ui-bundle.js'
const PAGES = [BUNDLE_JS, '/', '/page/page.js', '/openapi.json', '/docs/json', '/metrics', '/healthz', '/nothing']
const FORECAST = rawRequest(JSON.stringify(bodyOf(bundle, 0)))
/** Forecasts of others in which an attack has its time. */
const MEANWHILE = 60
/** Requests of one connection that may be under way: src/server/http/connection.ts. */
const MOST = 8

async function warmUp(t: Test, service: Service): Promise<void> {
  await underLoad(t, service, { callers: 4 }, async load => {
    const enough = load.answered(1000)
    for (let round = 0; round < 20; round++) {
      for (const path of PAGES) await (await fetch(service.url + path)).arrayBuffer()
    }
    await enough
  })
}

/** Each of these connections has a body in receipt too, which the garbage collector may leave for a while: 1.7 times was seen. */
const WITH_BODIES = '128 connections with unread refusals of bodies of 60 kB'

const ATTACKS: Record<string, [string, number]> = {
  '1,000 unread requests for the largest page in one write': [rawGet(BUNDLE_JS).repeat(1000), 1],
  '128 such connections': [rawGet(BUNDLE_JS).repeat(1000), 128],
  '10,000 unread forecasts of one connection': [FORECAST.repeat(10_000), 1],
  '128 connections with 1,000 unread requests for every page in turn': [
    PAGES.map(path => rawGet(path))
      .join('')
      .repeat(125),
    128
  ],
  '128 connections with unread refusals of URLs of 8 kB': [rawGet(`/${'x'.repeat(8000)}`).repeat(100), 128],
  [WITH_BODIES]: [rawRequest('x'.repeat(60_000), { 'content-type': 'text/plain' }).repeat(20), 128]
}

t.test('what is asked for and not read takes no memory, and others are answered', async t => {
  const service = await startService()
  t.teardown(() => service.process.kill('SIGKILL'))
  await warmUp(t, service)
  const pid = service.process.pid!
  const usual = residentMb(pid)
  for (const [what, [bytes, connections]] of Object.entries(ATTACKS)) {
    let most = 0
    const look = setInterval(() => (most = Math.max(most, residentMb(pid))), 10)
    const sockets = await unreadPipelines(service.port, bytes, connections)
    await underLoad(t, service, { callers: 1 }, load => load.answered(MEANWHILE, 120_000))
    clearInterval(look)
    for (const socket of sockets) socket.destroy()
    t.ok(
      most < (what === WITH_BODIES ? 2 : 1.5) * usual,
      `${what}: ${Math.round(most)} MiB, ${Math.round(usual)} before`
    )
  }
  await eventually('no slot is taken', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 0)
  t.equal(await service.stop(), 0)
  t.same(unhandled(service), [])
})

t.test('10,000 unread forecasts of one connection hold no more than eight slots', async t => {
  const service = await startService({ env: { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '16', DEADLINE_MS: '20000' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const ledger = new Ledger(service.url)
  const [greedy] = await unreadPipelines(service.port, rawRequest(JSON.stringify(slowBody(20))).repeat(10_000))
  const held = async () => (await scrape(service.url)).get('gru_requests_in_flight')!
  await eventually('all its slots are taken', async () => (await held()) >= MOST - 1)
  for (let other = 0; other < 10; other++) {
    const { status } = await ledger.send(slowBody(0, [other, 9]), { right: slowAnswer([other, 9]) })
    t.equal(status, 200)
    t.ok((await held()) <= MOST)
  }
  t.same(ledger.wrong, [])
  greedy!.resetAndDestroy()
  await eventually('no slot is taken', async () => (await held()) === 0)
  t.equal(await service.stop(), 0)
})
