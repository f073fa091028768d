import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { openFiles } from '../../support/process-facts.js'
import { answersIn, openRaw, rawGet, rawRequest } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowBody } from '../../support/slow-model.js'

const bundle = gru()
const FORECAST = rawRequest(JSON.stringify(bodyOf(bundle, 0)))
/** A slow host takes ten times as long. */
const PATIENT = { ...SLOW, BATCH_CAP: '1', DEADLINE_MS: '60000', RUN_TIMEOUT_MS: '60000' }
const HEAD = FORECAST.indexOf('\r\n\r\n') + 4
const CHUNKED =
  'POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"dat'

/** What is sent before the client shuts its sending side; the answers; how many requests had begun and were not whole. */
const CASES: Record<string, [string, number[], number]> = {
  'after nothing': ['', [], 0],
  'after a GET': [rawGet('/healthz'), [200], 0],
  'after a request of HTTP/1.0': ['GET /healthz HTTP/1.0\r\n\r\n', [200], 0],
  'after a forecast': [FORECAST, [200], 0],
  'after three requests': [rawGet('/model') + FORECAST + rawGet('/nothing'), [200, 200, 404], 0],
  'after a long pipeline': [FORECAST.repeat(100), Array.from({ length: 100 }, () => 200), 0],
  'after 8 GETs, as many as may be under way': [rawGet('/healthz').repeat(8), Array.from({ length: 8 }, () => 200), 0],
  'after the largest page': [rawGet('/docs/static/swagger-ui-bundle.js').repeat(3), [200, 200, 200], 0],
  'in the middle of the headers': ['GET /healthz HTTP/1.1\r\nho', [400], 0],
  'after the headers only': [FORECAST.slice(0, HEAD), [400], 1],
  'in the middle of a body': [FORECAST.slice(0, -5), [400], 1],
  'in the middle of a chunk': [CHUNKED, [400], 1],
  'in the middle of the second body': [FORECAST + FORECAST.slice(0, -5), [200, 400], 1],
  'while 100-continue is awaited': [rawRequest('{}', { expect: '100-continue' }).slice(0, -2), [400], 1]
}

t.test('a client that shuts its sending side and waits is answered what it asked, then the connection ends', t =>
  withService(t, {}, async ({ service, ledger }) => {
    const files = openFiles(service.process.pid!)
    let hungUp = 0
    for (const [when, [bytes, expected, cutOff]] of Object.entries(CASES)) {
      const { socket, closed } = await openRaw(service.port)
      socket.end(bytes)
      const answers = answersIn(await closed)
      t.strictSame(
        answers.map(({ status }) => status),
        expected,
        when
      )
      for (const { status } of answers.slice(0, expected.at(-1) === 400 ? -1 : undefined)) ledger.book(status)
      for (const { status, body } of answers)
        if (status === 200 && body.includes('req_id')) t.match(body, '"predictions":[{"ts"', when)
      hungUp += cutOff
    }
    await eventually('no connection is kept', () => openFiles(service.process.pid!) <= files)
    return { hungUp, executed: 103 }
  })
)

t.test('a kept connection, half-closed behind its second request, gets the second answer', t =>
  withService(t, {}, async ({ service, ledger }) => {
    const { socket, text, closed } = await openRaw(service.port)
    socket.write(rawGet('/healthz'))
    await eventually('the first answer', () => answersIn(text()).length === 1)
    socket.end(rawGet('/model'))
    t.strictSame(
      answersIn(await closed).map(({ status }) => status),
      [200, 200]
    )
    ledger.book(200)
    ledger.book(200)
  })
)

t.test('a client that is reset after it shut its sending side has hung up: its work is cancelled', t =>
  withService(t, { env: PATIENT }, async ({ service, ledger }) => {
    const slow = ledger.send(slowBody(1000))
    const inFlight = async () => (await scrape(service.url)).get('gru_requests_in_flight')
    await eventually('the model is busy', async () => (await inFlight()) === 1)
    const also = Array.from({ length: 3 }, () => ledger.send(slowBody(1000)))
    await eventually('and will be', async () => (await inFlight()) === 4)
    const { socket } = await openRaw(service.port)
    socket.end(rawRequest(JSON.stringify(slowBody(0))))
    await eventually('it waits', async () => (await inFlight()) === 5)
    socket.resetAndDestroy()
    await eventually('it is cancelled', async () => (await scrape(service.url)).get('gru_rows_cancelled_total') === 1)
    for (const { status } of await Promise.all([slow, ...also])) t.equal(status, 200)
    return { cancelled: 1, hungUp: 1 }
  })
)

t.test('SIGTERM while a half-closed client waits: it is answered', async t => {
  const service = await startService({ env: { ...SLOW, DRAIN_DELAY_MS: '0', GRACE_MS: '20000', DEADLINE_MS: '20000' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const { socket, closed } = await openRaw(service.port)
  socket.end(rawRequest(JSON.stringify(slowBody(500))))
  await eventually('it is in', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
  service.process.kill('SIGTERM')
  t.strictSame(
    answersIn(await closed).map(({ status }) => status),
    [200]
  )
  socket.destroy()
  t.equal(await service.exit, 0)
})
