import t from 'tap'
import { eventually } from '../../support/eventually.js'
import type { Ledger } from '../../support/ledger.js'
import { openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const PLACES = 4
const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: `${PLACES}`, DEADLINE_MS: '600000' }

/** As many requests as there are slots, all at once. */
function fill(ledger: Ledger, work: number) {
  return Promise.all(Array.from({ length: PLACES }, () => ledger.send(slowBody(work), { right: slowAnswer() })))
}

const inFlight = async (url: string) => (await scrape(url)).get('gru_requests_in_flight')

t.test('a full queue refuses at once with 429 and Retry-After', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const served = fill(ledger, 300)
    await eventually('every slot is taken', async () => (await inFlight(service.url)) === PLACES)
    const refused = await Promise.all(Array.from({ length: 20 }, () => ledger.send(slowBody(0))))
    const { socket, closed } = await openRaw(service.port)
    socket.write(rawRequest('', { 'content-length': '1000', connection: 'close' }))
    t.match(await closed, /^HTTP\/1\.1 429 /, 'before the body is sent')
    const refusedBy = performance.now()
    ledger.book(429, await closed)
    socket.destroy()
    for (const { status, json, headers } of refused) {
      t.equal(status, 429)
      t.equal(headers['retry-after'], '1')
      t.match(json?.error, { code: 'queue_full', retryable: true })
    }
    for (const { status, sent, t: took } of (await served).slice(-1)) {
      t.equal(status, 200)
      t.ok(refusedBy < sent + took, 'the refusals do not wait for a slot')
    }
    for (const { status } of await fill(ledger, 0)) t.equal(status, 200, 'every slot is free again')
  })
)

t.test('a caller who has not sent its body yet takes no slot', t =>
  withService(t, { env }, async ({ service, ledger, before }) => {
    const body = JSON.stringify(slowBody(0))
    const half = rawRequest(body).slice(0, -10)
    const senders = await Promise.all(Array.from({ length: PLACES * 3 }, () => openRaw(service.port)))
    for (const { socket } of senders) socket.write(half)
    for (const { status } of await fill(ledger, 0)) t.equal(status, 200)
    t.equal(await inFlight(service.url), before.get('gru_requests_in_flight'))
    for (const { socket } of senders) socket.write(body.slice(-10))
    for (const { socket, text } of senders) {
      const [status] = await eventually('the answer to a slow sender', () => text().endsWith('}') && statusesIn(text()))
      t.ok(status === 200 || status === 429, 'it is treated like any other once it is there')
      ledger.book(status!, text())
      socket.destroy()
    }
  })
)
