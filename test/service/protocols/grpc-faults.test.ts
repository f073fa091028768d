import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { readProto } from '../../../src/server/protocols/grpc/read-proto.js'
import { gru, type TestBundle } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { GrpcCaller, startGrpc } from '../../support/grpc.js'
import { rawRequest } from '../../support/infer.js'
import { framed, openCall, openHttp2, statusOf } from '../../support/raw-grpc.js'
import { grown, scrape } from '../../support/scrape.js'
import { spawnService } from '../../support/service.js'
import { SLOW, slowBody } from '../../support/slow-model.js'
import { unhandled } from '../../support/unhandled.js'

const bundle = gru()
const slowModel = { manifest: { name: 'slow', window: 2, features: [{}, {}] } } as unknown as TestBundle

/** A call of the slow model: so many windows, each of which runs about `work` ms. */
function slowRequest(work: number, count = 1, more: object = {}) {
  const { data } = slowBody(work)
  const window = data.level.map((level, row) => [level, data.work[row]!])
  return rawRequest(
    slowModel,
    Array.from({ length: count }, () => window),
    more
  )
}

const ended = (code: number) => `gru_request_duration_seconds_count{route="grpc ModelInfer",status="${code}"}`
const methods = readProto('inference', 'inference.GRPCInferenceService').service
/** A `ModelInfer` request as it goes over the wire. */
const messageOf = (request: object) => framed(methods.ModelInfer!.requestSerialize(request))
const inFlight = async (url: string) => (await scrape(url)).get('gru_requests_in_flight')

const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '64', DEADLINE_MS: '20000' }

for (const [name, options, more] of [
  ['the deadline of a caller', { deadlineMs: 700 }, {}],
  ['the timeout of a request, in microseconds,', {}, { parameters: { timeout: { int64_param: 700_000 } } }]
] as const) {
  t.test(`${name} reaches the ring: what has not begun by then is never run`, async t => {
    const service = await startGrpc(t, { env })
    const caller = new GrpcCaller(t, service.grpc)
    const before = await scrape(service.url)
    const held = caller.call('ModelInfer', slowRequest(1000))
    await eventually('it is in', async () => (await inFlight(service.url)) === 1)
    const late = await caller.call('ModelInfer', slowRequest(0, 1, more), options)
    t.equal(late.status, 'DEADLINE_EXCEEDED')
    t.equal((await held).status, 'OK', 'a run that has begun is not cut')
    await eventually('no slot is held', async () => (await inFlight(service.url)) === 0)
    const after = await scrape(service.url)
    t.equal(grown('gru_rows_executed_total', before, after), 1)
    // A caller's own clock may be first: then it has hung up.
    t.equal(grown(ended(504), before, after) + grown(ended(499), before, after), 1)
  })
}

/** Begins a call, and gives back what its caller leaves it by. */
const LEAVE: Record<string, (t: Test, address: string, request: object) => () => void> = {
  cancels: (t, address, request) => new GrpcCaller(t, address).begin('ModelInfer', request).cancel,
  'resets its connection': (t, address, request) => {
    const session = openHttp2(t, address)
    openCall(session, 'ModelInfer').end(messageOf(request))
    return () => (session.socket as Socket).resetAndDestroy()
  }
}

for (const [name, begin] of Object.entries(LEAVE)) {
  t.test(`a caller who ${name} frees every slot, and what has not begun is not run`, async t => {
    const service = await startGrpc(t, { env })
    const before = await scrape(service.url)
    const leave = begin(t, service.grpc, slowRequest(300, 20))
    await eventually('all hold slots', async () => (await inFlight(service.url)) === 20)
    leave()
    await eventually('none does', async () => (await inFlight(service.url)) === 0)
    const after = await scrape(service.url)
    t.ok(grown('gru_rows_executed_total', before, after) <= 3, 'what ran had begun')
    t.equal(grown(ended(499), before, after), 1)
  })
}

t.test('a call that finds no room is refused whole, and the one after it served', async t => {
  const service = await startGrpc(t, { env: { ...env, QUEUE_ROWS: '8' } })
  const caller = new GrpcCaller(t, service.grpc)
  const held = caller.call('ModelInfer', slowRequest(500))
  await eventually('it is in', async () => (await inFlight(service.url)) === 1)
  const refused = await caller.call('ModelInfer', slowRequest(0, 4))
  t.match(refused, { status: 'RESOURCE_EXHAUSTED', details: /^queue_full: 4 windows need slots, 3 are free/ })
  t.equal((await caller.call('ModelInfer', slowRequest(0, 3))).status, 'OK')
  t.equal((await held).status, 'OK')
})

/** Makes calls without pause until it is told to stop; gives back how they ended. */
async function keepCalling(caller: GrpcCaller, isOver: () => boolean): Promise<string[]> {
  const statuses: string[] = []
  while (!isOver()) statuses.push((await caller.call('ModelInfer', slowRequest(1))).status)
  return statuses
}

t.test('SIGTERM: not ready at once, calls are answered, GOAWAY, exit 0, and no call is lost', async t => {
  const settings = { ...env, DEADLINE_MS: '100000', DRAIN_DELAY_MS: '500', GRACE_MS: '200000' }
  const [going, staying] = [await startGrpc(t, { env: settings }), await startGrpc(t, { env: settings })]
  const caller = new GrpcCaller(t, going.grpc)
  const watched: string[] = []
  const health = readProto('health', 'grpc.health.v1.Health').service.Watch!
  const watch = caller.client.makeServerStreamRequest(
    ...([health.path, health.requestSerialize, health.responseDeserialize, { service: '' }] as const)
  )
  watch.on('data', ({ status }: { status: string }) => watched.push(status)).on('error', () => undefined)
  await eventually('it serves', () => watched.length === 1)
  const running = Array.from({ length: 8 }, () => caller.call('ModelInfer', slowRequest(100)))
  await eventually('all are in', async () => (await inFlight(going.url)) === 8)
  const addresses = `ipv4:${going.grpc},${staying.grpc}`
  const balanced = Array.from({ length: 4 }, () => new GrpcCaller(t, addresses, { 'grpc.service_config': ROUND_ROBIN }))
  let isOver = false
  const others = balanced.map(each => keepCalling(each, () => isOver))
  going.process.kill('SIGTERM')
  await going.line('stopping')
  t.match(await caller.call('ServerReady', {}), { status: 'OK', answer: { ready: false } })
  t.match(await caller.call('ModelReady', { name: 'slow' }), { status: 'OK', answer: { ready: false } })
  t.match(await caller.call('ModelInfer', slowRequest(0)), { status: 'OK' }, 'nobody has noticed yet')
  await eventually('the watch is told', () => watched.at(-1) === 'NOT_SERVING')
  for (const { status } of await Promise.all(running)) t.equal(status, 'OK')
  t.equal(await going.exit, 0)
  t.same(unhandled(going), [])
  isOver = true
  const statuses = (await Promise.all(others)).flat()
  t.ok(statuses.length > 0)
  t.same(
    statuses.filter(status => status !== 'OK'),
    [],
    `of ${statuses.length} calls`
  )
})

const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] })

t.test('an old connection is told to go, and its calls are answered', async t => {
  const service = await startGrpc(t, { env: { ...env, GRPC_CONNECTION_AGE_MS: '1000', GRACE_MS: '100000' } })
  const session = openHttp2(t, service.grpc)
  const gone = once(session, 'goaway')
  const call = openCall(session, 'ModelInfer')
  call.end(messageOf(slowRequest(700, 2)))
  const answered = statusOf(call)
  const [code] = (await gone) as [number]
  t.equal(code, 0)
  t.equal(await answered, status.OK)
})

t.test('a message that does not come is not waited for, and holds no slot', async t => {
  const service = await startGrpc(t, { env: { REQUEST_TIMEOUT_MS: '300' } })
  const before = await scrape(service.url)
  const session = openHttp2(t, service.grpc)
  const streams = Array.from({ length: 3 }, () => openCall(session, 'ModelInfer'))
  const ends = streams.map(statusOf)
  streams[0]!.write(framed(Buffer.alloc(9), { length: 1_000_000 }))
  streams[1]!.write(Buffer.alloc(2))
  t.equal(await inFlight(service.url), 0)
  for (const end of ends) t.equal(await end, status.DEADLINE_EXCEEDED)
  t.equal(grown(ended(408), before, await scrape(service.url)), 3)
  const call = openCall(session, 'ServerLive')
  call.end(framed(Buffer.alloc(0)))
  t.equal(await statusOf(call), status.OK, 'the connection goes on')
})

/** What a client may send that no library would. */
const HOSTILE: [
  string,
  number | string | RegExp,
  (stream: ReturnType<typeof openCall>) => void,
  Record<string, string>?
][] = [
  ['a message beyond the limit', status.RESOURCE_EXHAUSTED, stream => stream.end(framed(Buffer.alloc(2_000_000)))],
  [
    'a length beyond the limit',
    status.RESOURCE_EXHAUSTED,
    stream => stream.end(framed(Buffer.alloc(9), { length: 4e9 }))
  ],
  [
    'a gzip bomb',
    status.RESOURCE_EXHAUSTED,
    stream => stream.end(framed(gzipSync(Buffer.alloc(300_000_000)), { compressed: 1 })),
    { 'grpc-encoding': 'gzip' }
  ],
  [
    'bytes that are no gzip',
    /\d+|reset/,
    stream => stream.end(framed(Buffer.from('no gzip'), { compressed: 1 })),
    { 'grpc-encoding': 'gzip' }
  ],
  [
    'half a gzip',
    /\d+|reset/,
    stream => stream.end(framed(gzipSync(Buffer.alloc(1000)).subarray(0, 20), { compressed: 1 })),
    { 'grpc-encoding': 'gzip' }
  ],
  [
    'an unknown compression',
    status.UNIMPLEMENTED,
    stream => stream.end(framed(Buffer.from('x'), { compressed: 1 })),
    { 'grpc-encoding': 'br' }
  ],
  [
    'bytes that are no message',
    status.INTERNAL,
    stream => stream.end(framed(Buffer.from('ffffffffffffffffff', 'hex')))
  ],
  ['no message', status.UNIMPLEMENTED, stream => stream.end()],
  ['half a frame', status.UNIMPLEMENTED, stream => stream.end(Buffer.from([0, 0, 0]))],
  [
    'two messages',
    status.UNIMPLEMENTED,
    stream => stream.end(Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]))
  ],
  [
    'a name that ends within a character',
    status.NOT_FOUND,
    stream => stream.end(framed(Buffer.from('0a03eda080', 'hex')))
  ],
  ['an impossible timeout', status.INTERNAL, stream => stream.end(framed(Buffer.alloc(0))), { 'grpc-timeout': 'x' }],
  ['a reset', 'reset 8', stream => stream.close(8)]
]

t.test('whatever a client sends, the service lives and answers the next call', async t => {
  const service = await startGrpc(t)
  const caller = new GrpcCaller(t, service.grpc)
  const good = rawRequest(
    bundle,
    bundle.golden.windows.slice(0, 2).map(({ window }) => window)
  )
  for (const [name, expected, send, headers] of HOSTILE) {
    const stream = openCall(openHttp2(t, service.grpc), 'ModelInfer', headers)
    const end = statusOf(stream)
    send(stream)
    if (expected instanceof RegExp) t.match(String(await end), expected, name)
    else t.equal(await end, expected, name)
    t.equal((await caller.call('ModelInfer', good)).status, 'OK', `after ${name}`)
  }
  t.same(unhandled(service), [])
  t.equal(await service.stop(), 0)
})

t.test('more connections than MAX_CONNECTIONS are closed and counted', async t => {
  const service = await startGrpc(t, { env: { MAX_CONNECTIONS: '16' } })
  const before = await scrape(service.url)
  const sessions = Array.from({ length: 16 }, () => openHttp2(t, service.grpc))
  await Promise.all(sessions.map(session => once(session, 'remoteSettings')))
  const refused = openHttp2(t, service.grpc)
  await new Promise(resolve => refused.on('close', resolve))
  const counted = 'gru_connection_errors_total{kind="too_many"}'
  t.equal(grown(counted, before, await scrape(service.url)), 1)
  sessions[0]!.destroy()
  const caller = new GrpcCaller(t, service.grpc)
  await eventually('there is room', async () => (await caller.call('ServerLive', {})).status === 'OK')
})

t.test('a port that is taken stops the start, in one line that names the setting', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const service = spawnService({ env: { GRPC_PORT: String(port) } })
  t.equal(await service.exit, 1)
  t.equal(service.lines.at(-1), 'gru-inference: GRPC_PORT cannot be listened on (EADDRINUSE)')
})
