import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { credentials } from '@grpc/grpc-js'
import t from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { balanced, scrapeAll } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { Authority, type Certificate } from '../../support/certificates.js'
import { GrpcCaller } from '../../support/grpc.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { rawRequest } from '../../support/infer.js'
import { requestsByStatus } from '../../support/scrape.js'
import { installedFolder } from '../../support/servers/installed.js'
import { freePorts } from '../../support/servers/ports.js'

const run = promisify(execFile)
const bundle = gru()
const request = rawRequest(bundle, [bundle.golden.windows[0]!.window])
const KEY = 'key-of-alice'
const RATE = 20
const folder = t.testdir({})
const map = `${folder}/keys.map`
writeFileSync(map, `${keyLine('alice', KEY).split(':')[1]} alice\n`)

const authority = new Authority(folder, 'authority')
const server = authority.sign('server')
const own = authority.sign('caller')
const stranger = new Authority(folder, 'other-authority').sign('stranger')

/** What a caller shows and whom it trusts. */
const secured = (shown?: Certificate) =>
  credentials.createSsl(
    Buffer.from(authority.cert),
    shown ? Buffer.from(shown.key) : null,
    shown ? Buffer.from(shown.cert) : null
  )

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`${name} asks gRPC callers for the same keys, and counts their calls into the same rate`, async t => {
    const [front, port] = (await freePorts(2)) as [number, number]
    const grpc = { LB_GRPC_BIND: `127.0.0.1:${front}`, LB_GRPC_REPLICA_1: `127.0.0.1:${port}` }
    const haproxyEnv = { ...grpc, LB_API_KEYS: map, LB_KEY_RATE: String(RATE) }
    const stack = await balanced(t, { program, replicas: 1, env: { GRPC_PORT: String(port) }, haproxyEnv })
    const caller = new GrpcCaller(t, `127.0.0.1:${front}`)
    const infer = (metadata = {}) => caller.call('ModelInfer', request, { metadata })
    const [before] = await scrapeAll(stack)
    for (const metadata of [{}, { 'x-api-key': 'wrong' }, { authorization: KEY }]) {
      const { status, details } = await infer(metadata)
      t.equal(status, 'UNAUTHENTICATED')
      t.match(details, /^unauthorized: the API key is missing/)
    }
    t.equal((await caller.call('ModelMetadata', {})).status, 'UNAUTHENTICATED')
    const proto = ['-import-path', 'src/server/protocols/grpc/proto', '-proto', 'inference.proto']
    const asked = [`127.0.0.1:${front}`, 'inference.GRPCInferenceService/ServerMetadata']
    const curl = run(`${installedFolder('grpcurl')}/bin/grpcurl`, ['-plaintext', ...proto, ...asked])
    const said = await curl.then(
      () => 'OK',
      ({ stderr }: { stderr: string }) => stderr
    )
    t.match(said, /Code: Unauthenticated/, 'a client that holds answers to their type')
    const [after] = await scrapeAll(stack)
    t.same(requestsByStatus(before!, after!), {}, 'the replica never heard of them')
    for (const method of ['ServerLive', 'ServerReady', 'health.Check']) {
      t.equal((await caller.call(method, {})).status, 'OK', method)
    }
    t.equal((await infer({ 'x-api-key': KEY })).status, 'OK')
    t.equal((await infer({ authorization: `Bearer ${KEY}` })).status, 'OK')
    const many = await Promise.all(Array.from({ length: 400 }, () => infer({ 'x-api-key': KEY })))
    const refused = many.filter(({ status }) => status === 'RESOURCE_EXHAUSTED')
    t.ok(refused.length > 0, `${refused.length} of 400 are refused`)
    t.match(refused[0]?.details, /^rate_limited: /)
    t.equal(many.filter(({ status }) => status === 'OK').length, many.length - refused.length)
    const headers = { 'x-api-key': KEY }
    const rest = await Promise.all(Array.from({ length: 400 }, () => stack.ledger.send(bodyOf(bundle, 0), { headers })))
    t.ok(rest.some(({ status }) => status === 429))
  })

  t.test(`${name} speaks TLS to gRPC callers, and asks for their certificates where an authority is set`, async t => {
    const [front, other, port] = (await freePorts(3)) as [number, number, number]
    const env = { GRPC_PORT: String(port) }
    const grpc = { LB_GRPC_REPLICA_1: `127.0.0.1:${port}`, LB_TLS_CERT: server.pem }
    const infer = async (at: number, shown?: Certificate) => {
      const caller = new GrpcCaller(t, `127.0.0.1:${at}`, {}, secured(shown))
      return (await caller.call('ModelInfer', request, { deadlineMs: 20_000 })).status
    }
    const haproxyEnv = { ...grpc, LB_GRPC_TLS_BIND: `127.0.0.1:${front}` }
    await balanced(t, { program, replicas: 1, env, haproxyEnv })
    t.equal(await infer(front), 'OK')
    const plain = new GrpcCaller(t, `127.0.0.1:${front}`)
    t.equal((await plain.call('ModelInfer', request)).status, 'UNAVAILABLE', 'without TLS')
    const strict = { ...grpc, LB_GRPC_TLS_BIND: `127.0.0.1:${other}`, LB_TLS_CLIENT_CA: authority.file }
    const [second] = (await freePorts(1)) as [number]
    const elsewhere = { ...strict, LB_GRPC_REPLICA_1: `127.0.0.1:${second}` }
    await balanced(t, { program, replicas: 1, env: { GRPC_PORT: String(second) }, haproxyEnv: elsewhere })
    t.equal(await infer(other, own), 'OK')
    t.equal(await infer(other), 'UNAVAILABLE', 'no certificate')
    t.equal(await infer(other, stranger), 'UNAVAILABLE', 'one of another authority')
  })
}
