import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { Ledger } from '../../support/ledger.js'
import { answersIn, exchange, openRaw, rawGet, rawRequest } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { withService, type Shared } from '../../support/shared-service.js'
import { SLOW, slowBody } from '../../support/slow-model.js'

const bundle = gru()
const FORECAST = JSON.stringify(bodyOf(bundle, 0))
const ask = (id: number | string, body = FORECAST, headers = {}) =>
  rawRequest(body, { 'x-request-id': `${id}`, ...headers })
/** Forecasts of a full connection that are in the queue: of the eighth request under way the body is not read yet. */
const FULL = 7
const idOf = ({ head }: { head: string }) => /^x-request-id: (.*)$/im.exec(head)?.[1]

/** Sends it all at once and holds the service to these statuses, in this order, and to a book that agrees. */
async function pipelined({ service, ledger }: Shared, bytes: string, bodiless?: ReadonlySet<number>) {
  const answers = answersIn(await exchange(service.port, bytes), bodiless)
  for (const answer of answers) {
    // What is no request is in no route's count, and its answer has no name.
    if (idOf(answer) !== undefined) ledger.book(answer.status, `\r\n\r\n${answer.body}`)
  }
  return answers
}

t.test('a client that reads gets every answer of a long pipeline, in the order of its requests', t =>
  withService(t, {}, async under => {
    const kinds = [
      (id: number) => ask(id),
      (id: number) => rawGet('/model', { 'x-request-id': `${id}` }),
      (id: number) => rawGet('/healthz', { 'x-request-id': `${id}` }, 'HEAD'),
      (id: number) => ask(id, 'null'),
      (id: number) => rawGet(`/${'x'.repeat(5000)}`, { 'x-request-id': `${id}` }),
      (id: number) => ask(id, FORECAST.padEnd(200_000)),
      (id: number) => rawGet('/docs', { 'x-request-id': `${id}` }, 'OPTIONS'),
      (id: number) => ask(id, FORECAST, { expect: '100-continue' })
    ]
    const expected = [200, 200, 200, 400, 404, 200, 405, 200]
    const many = 400
    const bytes = Array.from({ length: many }, (_, id) => kinds[id % kinds.length]!(id)).join('')
    const heads = new Set(Array.from({ length: many }, (_, id) => id).filter(id => id % kinds.length === 2))
    const answers = await pipelined(
      under,
      bytes + rawGet('/healthz', { connection: 'close', 'x-request-id': `${many}` }),
      heads
    )
    t.strictSame(
      answers.map(idOf),
      Array.from({ length: many + 1 }, (_, id) => `${id}`)
    )
    t.strictSame(
      answers.slice(0, many).map(({ status }) => status),
      Array.from({ length: many }, (_, id) => expected[id % kinds.length])
    )
  })
)

/** What ends a connection behind two forecasts and before a third: its own answer, if it has one, and the kind counted. */
const ENDS: Record<string, [string, number | undefined, string | undefined]> = {
  'bytes that are no request': ['garbage!\r\n\r\n', 400, 'bad_request'],
  'headers of 100 kB': [rawGet('/', { 'x-bomb': 'x'.repeat(100_000) }), 431, 'headers_too_large'],
  'a CONNECT': [rawGet('example.com:443', {}, 'CONNECT'), 400, 'bad_request'],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'],
  'a request that says close': [rawGet('/healthz', { connection: 'close' }), 200, undefined],
  'a request of HTTP/1.0': ['GET /healthz HTTP/1.0\r\n\r\n', 200, undefined],
  'an offer of another protocol': [rawGet('/healthz', { connection: 'upgrade', upgrade: 'h2c' }), 200, undefined],
  'a body that is too large': [ask('large', '{}', { 'content-length': '90000000' }), 413, undefined]
}

for (const [what, [bytes, status, kind]] of Object.entries(ENDS)) {
  t.test(`${what}, in a pipeline: what was asked before is answered first, and what comes behind is not run`, t =>
    withService(t, {}, async under => {
      const { service, before } = under
      const answers = await pipelined(under, `${ask(1)}${ask(2)}${bytes}${ask(3)}`)
      t.strictSame(
        answers.map(answer => answer.status),
        [200, 200, status]
      )
      t.strictSame(answers.slice(0, 2).map(idOf), ['1', '2'])
      t.match(answers.at(-1)!.head, /^connection: close$/im)
      if (kind === undefined) return
      t.equal(grown(`gru_connection_errors_total{kind="${kind}"}`, before, await scrape(service.url)), 1)
    })
  )
}

t.test('a body that is not JSON, in a pipeline, costs the others nothing', t =>
  withService(t, {}, async under => {
    const bytes = `${ask(1)}${ask(2, '{')}${ask(3)}${rawGet('/healthz', { connection: 'close', 'x-request-id': '4' })}`
    const answers = await pipelined(under, bytes)
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 400, 200, 200]
    )
    t.strictSame(answers.map(idOf), ['1', '2', '3', '4'])
  })
)

t.test('a chunk that is none, behind forecasts, is answered 400 in its place', t =>
  withService(t, {}, async under => {
    const chunked =
      'POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'
    const answers = await pipelined(under, ask(1) + ask(2) + chunked)
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200, 400]
    )
    // Its headers could be read: it had begun.
    return { hungUp: 1 }
  })
)

t.test('a client that reads late is not told that it was slow to ask; one that is slow to ask is', t =>
  withService(t, { env: { REQUEST_TIMEOUT_MS: '500' } }, async ({ service, ledger }) => {
    const { socket, text, closed } = await openRaw(service.port)
    socket.pause()
    const bodyLater = rawRequest(FORECAST, { 'x-request-id': 'late' })
    const head = bodyLater.indexOf('\r\n\r\n') + 4
    const before = rawGet('/docs/static/swagger-ui-bundle.js').repeat(20)
    socket.write(before + bodyLater.slice(0, head))
    const looks = 'gru_connection_errors_total{kind="request_timeout"}'
    const other = await openRaw(service.port)
    other.socket.write('GET / HT')
    await eventually('someone slow is told', async () => (await scrape(service.url)).get(looks) === 1)
    await other.closed
    t.match(other.text(), /^HTTP\/1\.1 408 /)
    socket.resume()
    await closed
    const answers = answersIn(text())
    t.strictSame(
      answers.map(({ status }) => status),
      [...Array.from({ length: 20 }, () => 200), 408]
    )
    for (const { status } of answers.slice(0, 20)) ledger.book(status)
    socket.destroy()
    other.socket.destroy()
    return { hungUp: 1 }
  })
)

t.test(
  'SIGTERM: what a full connection has under way is answered, the last answer says close, nothing behind is run',
  async t => {
    const env = {
      ...SLOW,
      BATCH_CAP: '1',
      DEADLINE_MS: '20000',
      RUN_TIMEOUT_MS: '60000',
      DRAIN_DELAY_MS: '100',
      GRACE_MS: '30000'
    }
    const service = await startService({ env })
    t.teardown(() => service.process.kill('SIGKILL'))
    const { socket, closed } = await openRaw(service.port)
    socket.write(Array.from({ length: 1000 }, (_, id) => ask(id, JSON.stringify(slowBody(100)))).join(''))
    await eventually('it is full', async () => (await scrape(service.url)).get('gru_requests_in_flight')! >= FULL)
    service.process.kill('SIGTERM')
    const answers = answersIn(await closed)
    socket.destroy()
    t.ok(answers.length >= 8 && answers.length < 40, `${answers.length} answers`)
    t.strictSame(
      answers.map(idOf),
      answers.map((_, id) => `${id}`)
    )
    t.ok(answers.every(({ status }) => status === 200))
    t.strictSame(
      answers.map(({ head }) => /^connection: close$/im.test(head)),
      answers.map((_, id) => id === answers.length - 1)
    )
    t.equal(await service.exit, 0)
  }
)

t.test(
  'a connection beyond MAX_CONNECTIONS takes the place of the oldest that is idle, never of one that waits for an answer',
  async t => {
    const service = await startService({ env: { ...SLOW, MAX_CONNECTIONS: '16', DEADLINE_MS: '20000' } })
    t.teardown(() => service.stop())
    const busy = await openRaw(service.port)
    busy.socket.write(ask('busy', JSON.stringify(slowBody(1000))))
    const idle = await Promise.all(Array.from({ length: 15 }, () => openRaw(service.port)))
    for (const { socket } of idle) socket.write(rawGet('/healthz'))
    await eventually('all are answered', () => idle.every(({ text }) => text().endsWith('}')))
    const ledger = new Ledger(service.url)
    t.equal((await ledger.get('/healthz')).status, 200)
    await Promise.race(idle.map(({ closed }) => closed))
    await eventually('the answer', () => busy.text().includes('"busy"'))
    const after = await scrape(service.url)
    t.ok(after.get('gru_connection_errors_total{kind="too_many"}')! >= 1)
    for (const { socket } of [busy, ...idle]) socket.destroy()
  }
)
