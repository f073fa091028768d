import t from 'tap'
import { gzipSync } from 'node:zlib'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { exchange, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const CLOSED = /connection: close/i

/** Bytes that Node's parser refuses: what is sent, the status, and the kind that is counted. */
const UNREADABLE: Record<string, [string, number, string]> = {
  'headers of 100 kB': [rawRequest(body, { 'x-bomb': 'x'.repeat(100_000) }), 431, 'headers_too_large'],
  'ten thousand headers': [
    rawRequest(body, Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, '1']))),
    431,
    'headers_too_large'
  ],
  'both a length and chunks': [rawRequest(body, { 'transfer-encoding': 'chunked' }), 400, 'bad_request'],
  'two lengths': [rawRequest(body, { 'Content-Length': '5' }), 400, 'bad_request'],
  'a negative length': [rawRequest(body, { 'content-length': '-1' }), 400, 'bad_request'],
  'a chunk size that is none': [
    rawRequest('zz\r\n', { 'content-length': '', 'transfer-encoding': 'chunked' }).replace('content-length: \r\n', ''),
    400,
    'bad_request'
  ],
  'a line break in a header': [rawRequest(body, { 'x-request-id': 'a\nb: c' }), 400, 'bad_request'],
  'a method that is none': [rawRequest(body).replace('POST', 'BREW'), 400, 'bad_request'],
  'another protocol': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'x'.repeat(100), 400, 'bad_request'],
  'no HTTP at all': ['hello?\r\n\r\n', 400, 'bad_request']
}

t.test('what cannot be read as HTTP is answered with its status, counted, and the connection closed', t =>
  withService(t, {}, async ({ service, ledger, before }) => {
    const kinds: Record<string, number> = {}
    for (const [what, [bytes, status, kind]] of Object.entries(UNREADABLE)) {
      const answer = await exchange(service.port, Buffer.from(bytes, 'latin1'))
      t.same(statusesIn(answer), [status], what)
      t.match(answer, CLOSED, `${what}: closed`)
      t.match(answer, `"code":"${kind}"`, `${what}: in the shape of every error`)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    const after = await scrape(service.url)
    for (const [kind, count] of Object.entries(kinds)) {
      t.equal(grown(`gru_connection_errors_total{kind="${kind}"}`, before, after), count, kind)
    }
    t.equal((await ledger.send(body, { right: goldenAnswer(bundle, 0) })).status, 200, 'the next request is served')
    // Its headers could be read: the request had begun when its body turned out not to be one.
    return { hungUp: 1 }
  })
)

t.test('a body in a coding that is not known is refused before it is read', t =>
  withService(t, {}, async ({ service, ledger, before }) => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    const codings = ['br', 'compress', 'gzip, identity', 'gzip, gzip', 'aws-chunked', '*']
    for (const coding of codings) {
      const { status, json, headers } = await ledger.send(bomb, { headers: { 'content-encoding': coding } })
      t.equal(status, 415, coding)
      t.equal(json?.error?.code, 'unsupported_media_type')
      t.match(headers['accept-encoding'], /^gzip, deflate(, zstd)?$/, 'it is told what is')
    }
    const plain = await ledger.send(body, {
      headers: { 'content-encoding': 'identity' },
      right: goldenAnswer(bundle, 0)
    })
    t.equal(plain.status, 200, 'identity means as it is')
    const refusals = 'gru_refusals_total{reason="unsupported_media_type"}'
    t.equal(grown(refusals, before, await scrape(service.url)), codings.length)
  })
)
