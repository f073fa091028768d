import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import type { Answer, Entry, Ledger } from '../../support/ledger.js'
import { forgetPeak, peakMb } from '../../support/peak-memory.js'
import { residentMb } from '../../support/process-facts.js'
import { openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { sendBody } from '../../support/send-body.js'
import { withService } from '../../support/shared-service.js'
import { type V2Answer, v2Binary, v2Inputs } from '../../support/v2.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const right = goldenAnswer(bundle, 0)
const good = gzipSync(body)
const LIMIT = 65_536
const env = { BODY_LIMIT_BYTES: String(LIMIT) }
/** What `/predict/batch` takes by default: 4 KiB for each of 256 windows. */
const BATCH_LIMIT = 1_048_576

const send = (ledger: Ledger, bytes: Buffer, coding: string, path = '/predict') =>
  ledger.send(bytes, { headers: { 'content-encoding': coding }, path, ...(path === '/predict' && { right }) })

const PACKED: Record<string, (text: string) => Buffer> = {
  gzip: text => gzipSync(text),
  'x-gzip': text => gzipSync(text, { level: 9 }),
  GZIP: text => execFileSync('gzip', ['-c'], { input: text }),
  // Two members, as a file has that was appended to (RFC 1952 2.2).
  'gzip ': text => Buffer.concat([gzipSync(text.slice(0, 100)), gzipSync(text.slice(100))]),
  deflate: text => deflateSync(text)
}

t.test('a packed body is answered as the same body unpacked, on each route of forecasts', t =>
  withService(t, { env }, async ({ ledger }) => {
    for (const [coding, pack] of Object.entries(PACKED)) {
      t.equal((await send(ledger, pack(body), coding.trim())).status, 200, coding)
      const { status, text } = await send(ledger, pack(`[${body},{}]`), coding.trim(), '/predict/batch')
      t.equal(status, 200)
      const [good, bad] = JSON.parse(text) as Answer[]
      t.ok(right(good!.predictions!))
      t.match(bad, { error: { code: 'missing_field', path: '/1' } })
    }
    const bad = await send(ledger, gzipSync('{"data":'), 'gzip')
    t.match([bad.status, bad.json?.error?.code], [400, 'malformed_json'], 'its errors are its own')
    return { executed: Object.keys(PACKED).length }
  })
)

t.test('the V2 protocol takes packed tensors, whose header length is that of the JSON unpacked', t =>
  withService(t, { env }, async ({ ledger }) => {
    const path = `/v2/models/${bundle.manifest.name}/infer`
    const { body: plain, jsonLength } = v2Binary(v2Inputs(bundle, [0, 1]))
    for (const [coding, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync]
    ] as const) {
      const length = { 'inference-header-content-length': String(jsonLength) }
      const entry = await ledger.send(pack(plain), { path, headers: { 'content-encoding': coding, ...length } })
      t.equal(entry.status, 200, coding)
      const { data = [] } = (JSON.parse(entry.text) as V2Answer).outputs[0]!
      const { features, target } = bundle.manifest
      const width = data.length / 2
      t.equal(width, features.length)
      for (const at of [0, 1]) {
        const row = Object.fromEntries(features.map(({ name }, index) => [name, data[at * width + index]!]))
        t.ok(goldenAnswer(bundle, at)([{ ts: '', value: row[target]!, ...row }]), `${coding}, window ${at}`)
      }
    }
    const bad = await ledger.send(good, { path, headers: { 'content-encoding': 'deflate' } })
    t.match(bad, { status: 400, text: /^\{"error":"bad_request: the body cannot be unpacked/ })
    return { executed: 4 }
  })
)

t.test('clients that pack by themselves are served: fetch with a stream, and curl', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const packed = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const init = { method: 'POST', headers, body: packed, duplex: 'half' }
    const answer = await fetch(`${service.url}/predict`, init as RequestInit)
    t.ok(right(((await answer.json()) as Answer).predictions!))
    const args = ['-s', '--compressed', '--data-binary', '@-', '-H', 'content-encoding: gzip']
    const url = `${service.url}/predict`
    const out = execFileSync('curl', [...args, '-H', 'content-type: application/json', url], { input: gzipSync(body) })
    t.ok(right((JSON.parse(out.toString()) as Answer).predictions!))
    for (const text of [0, 1]) ledger.book(200, String(text))
    return { executed: 2 }
  })
)

t.test('the bound is that of a body as it is: what unpacks to the limit is served, a byte more is 413', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    t.equal((await send(ledger, gzipSync(body.padEnd(LIMIT)), 'gzip')).status, 200)
    const over = await send(ledger, gzipSync(body.padEnd(LIMIT + 1)), 'gzip')
    t.match(over, { status: 413, json: { error: { code: 'body_too_large', message: /BODY_LIMIT_BYTES/ } } })
    const noise = randomBytes(LIMIT + 1)
    t.equal((await send(ledger, noise, 'gzip')).status, 413, 'also as it is sent')
    const chunked = { port: service.port, bytes: noise.toString('latin1'), inChunks: true }
    t.equal(await sendBody({ ...chunked, headers: { 'content-encoding': 'gzip' } }), 413, 'and without a length')
    ledger.book(413)
    const batch = await send(ledger, gzipSync(`[${body}]`.padEnd(BATCH_LIMIT + 1)), 'gzip', '/predict/batch')
    t.match(batch, { status: 413, json: { error: { message: /MAX_WINDOWS/ } } })
  })
)

const BROKEN: Record<string, [bytes: Buffer, coding: string]> = {
  'nothing at all': [Buffer.alloc(0), 'gzip'],
  'no gzip': [Buffer.from(body), 'gzip'],
  'cut in its middle': [good.subarray(0, 200), 'gzip'],
  'cut before its end': [good.subarray(0, -1), 'gzip'],
  'a bit turned': [Buffer.from(good.map((byte, at) => (at === 300 ? byte ^ 4 : byte))), 'gzip'],
  'a wrong checksum': [Buffer.from(good.map((byte, at) => (at === good.length - 6 ? byte ^ 1 : byte))), 'gzip'],
  'bytes behind it': [Buffer.concat([good, Buffer.from('more')]), 'gzip'],
  'zeros behind it': [Buffer.concat([good, Buffer.alloc(8)]), 'gzip'],
  'bytes behind deflate': [Buffer.concat([deflateSync(body), Buffer.from('more')]), 'deflate'],
  'deflate that is gzip': [good, 'deflate'],
  'gzip that is deflate': [deflateSync(body), 'gzip']
}

t.test('what cannot be unpacked is 400, and the connection goes on', t =>
  withService(t, { env }, async ({ ledger }) => {
    for (const [what, [bytes, coding]] of Object.entries(BROKEN)) {
      const entry = await send(ledger, bytes, coding)
      t.match(entry, { status: 400, json: { error: { code: 'bad_request', message: /cannot be unpacked/ } } }, what)
      t.not(entry.headers.connection, 'close', what)
    }
    t.equal((await send(ledger, good, 'gzip')).status, 200)
  })
)

t.test('a packed body that is cut off is answered 400, as another is', t =>
  withService(t, { env }, async ({ service }) => {
    const { socket, closed } = await openRaw(service.port)
    socket.end(rawRequest('', { 'content-length': String(good.length), 'content-encoding': 'gzip' }))
    t.same(statusesIn(await closed), [400])
    socket.destroy()
    const vanished = await openRaw(service.port)
    const head = rawRequest('', { 'content-length': String(good.length), 'content-encoding': 'gzip' })
    vanished.socket.write(Buffer.concat([Buffer.from(head), good.subarray(0, 100)]))
    const begun = 'gru_request_duration_seconds_count{route="/predict",status="499"}'
    const counted = async () => (await scrape(service.url)).get(begun) ?? 0
    const before = await counted()
    vanished.socket.resetAndDestroy()
    await eventually('it is counted', async () => (await counted()) > before)
    return { hungUp: 2 }
  })
)

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** Node unpacks zstd from these versions on, by its documentation. */
const HAS_ZSTD = major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15)

/** A frame of zstd (RFC 8878 3.1.1) with the text as it is, in one raw block, and a window of 2^`log` bytes. */
function zstdFrame(text: string, log: number): Buffer {
  const block = (text.length << 3) | 1
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, block & 255, (block >> 8) & 255, block >> 16]
  return Buffer.concat([Buffer.from(head), Buffer.from(text)])
}

t.test('zstd is unpacked where Node can, and else refused with what is taken', t =>
  withService(t, { env }, async ({ ledger }) => {
    const { status, headers } = await send(ledger, zstdFrame(body, 17), 'zstd')
    t.equal(status, HAS_ZSTD ? 200 : 415)
    t.equal(headers['accept-encoding'], HAS_ZSTD ? undefined : 'gzip, deflate')
    const wide = await send(ledger, zstdFrame(body, 27), 'zstd')
    t.equal(wide.status, HAS_ZSTD ? 400 : 415, 'nobody gets a window of 128 MiB')
  })
)

const BOMBS = 64
const bomb = gzipSync(Buffer.alloc(60_000_000, ' '))

t.test('64 bombs at once, of 60 MB each, are 413 and take no more memory than half of what was there', t =>
  withService(t, { env: { BODY_LIMIT_BYTES: String(BATCH_LIMIT) } }, async ({ service, ledger }) => {
    const pid = service.process.pid!
    // As many good ones at once: what so many callers take, whatever they send, is there before.
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 2 * BOMBS }, () => send(ledger, good, 'gzip')))
    }
    const before = residentMb(pid)
    forgetPeak(pid)
    const all: Promise<Entry>[] = []
    for (const path of ['/predict', '/predict/batch']) {
      for (let sent = 0; sent < BOMBS; sent++) all.push(send(ledger, bomb, 'gzip', path))
    }
    for (const { status, json } of await Promise.all(all)) t.match([status, json?.error?.code], [413, 'body_too_large'])
    const ratio = peakMb(pid) / before
    t.ok(ratio < 1.5, `${ratio.toFixed(2)} times the memory`)
    t.equal((await send(ledger, good, 'gzip')).status, 200)
  })
)
