import t from 'tap'
import { gzipSync } from 'node:zlib'
import { accounted, balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { exchange, rawRequest, statusesIn } from '../../support/raw-socket.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))

const UNREADABLE: Record<string, string> = {
  'headers of 100 kB': rawRequest(body, { 'x-bomb': 'x'.repeat(100_000) }),
  'both a length and chunks, with a body that has none': rawRequest(body, { 'transfer-encoding': 'chunked' }),
  'two lengths': rawRequest(body, { 'Content-Length': '5' }),
  'a negative length': rawRequest(body, { 'content-length': '-1' }),
  'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'x'.repeat(100),
  'no HTTP at all': 'hello?\r\n\r\n'
}

t.test('what is no HTTP ends at HAProxy with 400; what a replica refuses is refused through it too', async t => {
  const stack = await balanced(t, { replicas: 1 })
  const { ledger, port } = stack
  for (const [what, bytes] of Object.entries(UNREADABLE)) {
    t.same(statusesIn(await exchange(port, Buffer.from(bytes, 'latin1'))), [400], what)
  }
  t.equal((await stack.stats()).servers.r1!.requests, 0, 'the replica never saw them')
  const bomb = await ledger.send(gzipSync(Buffer.alloc(50_000_000)), { headers: { 'content-encoding': 'gzip' } })
  t.match([bomb.status, bomb.json?.error?.code], [413, 'body_too_large'])
  const long = await ledger.send(body, { headers: { 'x-bomb': 'x'.repeat(30_000) } })
  t.match([long.status, long.json?.error?.code], [431, 'headers_too_large'])
  t.equal((await ledger.send(body, { right: goldenAnswer(bundle, 0) })).status, 200, 'the next request is served')
  accounted(t, stack)
})

t.test('callers are not told to keep a connection for longer than HAProxy does', async t => {
  const { ledger } = await balanced(t, { replicas: 1 })
  const sent = [
    ledger.send(body),
    ledger.send(body, { headers: { 'content-type': 'text/plain' } }),
    ledger.get('/model')
  ]
  for (const { headers, status } of await Promise.all(sent)) t.equal(headers['keep-alive'], undefined, `${status}`)
})
