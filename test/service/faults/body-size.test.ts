import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { residentMb } from '../../support/process-facts.js'
import { type BodySent, sendBody } from '../../support/send-body.js'
import { withService } from '../../support/shared-service.js'

const LIMIT = 65_536
const bundle = gru()
const env = { BODY_LIMIT_BYTES: `${LIMIT}` }

/** A legal body of exactly `bytes` bytes: JSON may be padded with spaces. */
function padded(bytes: number): string {
  return JSON.stringify(bodyOf(bundle, 0)).padEnd(bytes, ' ')
}

t.test('a body at the limit is served, a byte more is 413, with a length or in chunks', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const right = goldenAnswer(bundle, 0)
    t.equal((await ledger.send(padded(LIMIT), { right })).status, 200)
    const over = await ledger.send(padded(LIMIT + 1))
    t.match(over, { status: 413, json: { error: { code: 'body_too_large', retryable: false } } })
    t.equal(over.headers.connection, 'close')
    t.equal(await sendBody({ port: service.port, bytes: padded(LIMIT), inChunks: true }), 200)
    t.equal(await sendBody({ port: service.port, bytes: padded(LIMIT + 1), inChunks: true }), 413)
    for (const status of [200, 413]) ledger.book(status)
    return { executed: 1 }
  })
)

t.test('a body far over the limit is refused before it has been sent, and never held', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const before = residentMb(service.process.pid!)
    const told = await openRaw(service.port)
    told.socket.write(rawRequest('', { 'content-length': '1000000000' }))
    t.same(statusesIn(await told.closed), [413], 'its length says enough')
    told.socket.destroy()
    const untold = await openRaw(service.port)
    untold.socket.write(
      rawRequest('', { 'transfer-encoding': 'chunked', 'content-length': '' }).replace('content-length: \r\n', '')
    )
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`
    const timer = setInterval(() => untold.socket.write(chunk), 1)
    t.same(statusesIn(await untold.closed), [413], 'it is answered at the limit')
    clearInterval(timer)
    untold.socket.destroy()
    for (const status of [413, 413]) ledger.book(status)
    t.ok(residentMb(service.process.pid!) - before < 100)
  })
)

const other = { 'content-type': 'application/octet-stream' }
const REFUSED: Record<string, { status: number; times?: number; sizes?: number[] } & Partial<BodySent>> = {
  'over the limit': { status: 413, times: 20, sizes: [1_000_000, 10_000_000] },
  'of another type': { status: 415, headers: other },
  'for no route': { status: 404, path: '/nobody', headers: other },
  'for a route that only answers': { status: 405, path: '/model', headers: other }
}

t.test('who is still sending a large body when it is refused gets the answer, not a reset, every time', t =>
  withService(t, { env }, async ({ service: { port }, ledger }) => {
    for (const [what, { status, times = 5, sizes = [10_000_000], ...sending }] of Object.entries(REFUSED)) {
      for (const bytes of sizes.map(padded)) {
        for (const inChunks of [false, true]) {
          const answers: (number | string)[] = []
          for (let sent = 0; sent < times; sent++) answers.push(await sendBody({ port, bytes, inChunks, ...sending }))
          t.same(
            answers,
            Array(times).fill(status),
            `${what}, ${bytes.length} bytes, ${inChunks ? 'chunks' : 'length'}`
          )
          for (const answer of answers) ledger.book(Number(answer))
        }
      }
    }
  })
)
