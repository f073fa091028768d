import t from 'tap'
import { Agent, request } from 'node:http'
import { bodyOf, gru } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'
import { openRaw, rawRequest, statusesIn } from '../support/raw-socket.js'
import { residentMb } from '../support/process-facts.js'
import { underFault } from '../support/under-fault.js'

const LIMIT = 65_536
const bundle = gru()
const env = { BODY_LIMIT_BYTES: `${LIMIT}` }

/** A legal body of exactly `bytes` bytes: JSON may be padded with spaces. */
function padded(bytes: number): string {
  return JSON.stringify(bodyOf(bundle, 0)).padEnd(bytes, ' ')
}

/** The status of a body that goes out in chunks, without a length. */
function sendChunked(port: number, body: string): Promise<number> {
  const agent = new Agent({ keepAlive: false })
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/predict', method: 'POST', agent, headers })
    sent.on('response', answer => answer.resume().on('end', () => resolve(answer.statusCode!)))
    sent.on('error', reject)
    for (let at = 0; at < body.length; at += 10_000) sent.write(body.slice(at, at + 10_000))
    sent.end()
  })
}

t.test('a body at the limit is served, a byte more is 413, with a length or in chunks', t =>
  underFault(t, { env }, async ({ service, ledger }) => {
    const right = goldenAnswer(bundle, 0)
    t.equal((await ledger.send(padded(LIMIT), { right })).status, 200)
    const over = await ledger.send(padded(LIMIT + 1))
    t.match(over, { status: 413, json: { error: { code: 'body_too_large', retryable: false } } })
    t.equal(over.headers.connection, 'close')
    t.equal(await sendChunked(service.port, padded(LIMIT)), 200)
    t.equal(await sendChunked(service.port, padded(LIMIT + 1)), 413)
    for (const status of [200, 413]) ledger.book(status)
    return { executed: 1 }
  })
)

t.test('a body far over the limit is refused before it has been sent, and never held', t =>
  underFault(t, { env }, async ({ service, ledger }) => {
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
