import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { accounted, balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { GrpcCaller } from '../../support/grpc.js'
import { sendBody } from '../../support/send-body.js'
import { freePorts } from '../../support/servers/ports.js'
import { v2Inputs } from '../../support/v2.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const right = goldenAnswer(bundle, 0)
const ALICE = 'key-of-alice'
const BOB = 'key-of-bob'

/** A map made of the service's file by the documented command. */
function mapOf(t: Test): string {
  const folder = t.testdir({ keys: `# callers\n${keyLine('alice', ALICE)}\n${keyLine('bob', BOB).toUpperCase()}\n` })
  const [, command] = /```sh\n(awk[^`]*)```/.exec(readFileSync('docs/guides/edge.md', 'utf8'))!
  execFileSync('bash', ['-euc', command!], { cwd: folder })
  return `${folder}/keys.map`
}

const withKey = (key: string) => ({ 'x-api-key': key })

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`${name} lets only those with a key of the map file ask for work`, async t => {
    const map = mapOf(t)
    const stack = await balanced(t, { replicas: 1, program, haproxyEnv: { LB_API_KEYS: map } })
    const { ledger, port } = stack
    for (const headers of [withKey(ALICE), withKey(BOB), { authorization: `Bearer ${ALICE}` }]) {
      t.equal((await ledger.send(body, { headers, right })).status, 200)
      t.equal((await ledger.get('/model', headers)).status, 200)
    }
    t.equal(await sendBody({ port, bytes: body.padEnd(100_000), inChunks: false, headers: withKey(ALICE) }), 200)
    const { name: model } = bundle.manifest
    const infer = { path: `/v2/models/${model}/infer`, headers: withKey(ALICE) }
    t.equal((await ledger.send({ inputs: v2Inputs(bundle, [0]) }, infer)).status, 200)
    const probed = ['/healthz', '/readyz', '/ready', '/v2/health/live', '/v2/health/ready', `/v2/models/${model}/ready`]
    for (const path of probed) t.equal((await ledger.get(path)).status, 200, path)
    // By no ledger: these have a JSON type and are none, as MLflow has it.
    const probes = ['/ping', '/health', '/version'].map(path => fetch(`http://127.0.0.1:${port}${path}`))
    for (const { status, url } of await Promise.all(probes)) t.equal(status, 200, url)
    const { requests } = (await stack.stats()).servers.r1!
    const wrong = [{}, withKey('wrong'), withKey(''), withKey(keyLine('alice', ALICE).split(':')[1]!), withKey('alice')]
    for (const headers of [
      ...wrong,
      withKey(`${ALICE},x`),
      { authorization: `Basic ${ALICE}` },
      { authorization: ALICE }
    ]) {
      const refused = await ledger.send(body, { headers })
      t.match(refused, { status: 401, json: { error: { code: 'unauthorized', retryable: false } } })
      t.equal(refused.headers['www-authenticate'], 'Bearer')
    }
    for (const path of ['/model', '/model/example', '/predict_ping', '/v2', `/v2/models/${model}`]) {
      t.equal((await ledger.get(path)).status, 401, path)
    }
    t.equal((await ledger.send({}, { path: infer.path })).status, 401)
    t.equal(await sendBody({ port, bytes: body.padEnd(100_000), inChunks: true }), 401, 'with a large body')
    t.equal((await ledger.get('/nowhere')).status, 404)
    t.equal((await stack.stats()).servers.r1!.requests, requests, 'the replica never saw them')
    const carol = async () => (await ledger.send(body, { headers: withKey('key-of-carol') })).status
    const hash = keyLine('carol', 'key-of-carol').split(':')[1]!
    await stack.haproxy.api.ask(`add map ${map} ${hash} carol`)
    t.equal(await carol(), 200, 'added while it runs')
    await stack.haproxy.api.ask(`del map ${map} ${hash}`)
    t.equal(await carol(), 401, 'and taken away')
    accounted(t, stack)
  })

  t.test(`${name} holds each key to its rate, and others are not held up`, async t => {
    const RATE = 20
    const haproxyEnv = { LB_API_KEYS: mapOf(t), LB_KEY_RATE: String(RATE) }
    const stack = await balanced(t, { replicas: 1, program, haproxyEnv })
    const { ledger } = stack
    const ask = (key: string) => ledger.send(body, { headers: withKey(key), right })
    const many = await Promise.all(Array.from({ length: 400 }, () => ask(ALICE)))
    const refused = many.filter(({ status }) => status === 429)
    t.ok(many.filter(({ status }) => status === 200).length >= RATE, 'the rate is answered')
    t.ok(refused.length > 0, `${refused.length} of 400 are refused`)
    for (const { json, headers } of refused) {
      t.match(json, { error: { code: 'rate_limited', retryable: true } })
      t.equal(headers['retry-after'], '1')
    }
    t.equal((await ask(BOB)).status, 200, 'another key')
    t.equal((await ledger.get('/healthz')).status, 200)
    await eventually('the key is let in again', async () => (await ask(ALICE)).status === 200)
    t.equal((await ledger.send(body)).status, 401)
    accounted(t, stack)
  })

  t.test(`${name} passes on what browsers ask before a page's request, where it is told to`, async t => {
    const origin = 'https://a.example'
    const asking = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' }
    const env = { CORS_ORIGINS: origin }
    const off = await balanced(t, { replicas: 1, program, env })
    t.equal((await off.ledger.send('', { method: 'OPTIONS', headers: asking })).status, 404)
    const on = await balanced(t, { replicas: 1, program, env, haproxyEnv: { LB_CORS: 'on', LB_API_KEYS: mapOf(t) } })
    const { status, headers } = await on.ledger.send('', { method: 'OPTIONS', headers: asking })
    t.equal(status, 204)
    t.equal(headers['access-control-allow-origin'], origin)
    t.equal((await on.ledger.send('', { method: 'OPTIONS', path: '/admin/reload', headers: asking })).status, 404)
    const answer = await on.ledger.send(body, { headers: { origin, ...withKey(ALICE) }, right })
    t.match([answer.status, answer.headers['access-control-allow-origin']], [200, origin])
  })

  t.test(`${name} says at its start which setting is alone`, async t => {
    const run = promisify(execFile)
    const check = (env: Record<string, string>) =>
      run(program, ['-c', '-f', 'haproxy.cfg'], { env }).then(
        () => '',
        ({ stderr }: { stderr: string }) => stderr
      )
    const file = `${t.testdir({})}/file`
    writeFileSync(file, '')
    t.equal(await check({}), '', 'as it is shipped')
    t.match(await check({ LB_KEY_RATE: '5' }), /LB_KEY_RATE has no effect without LB_API_KEYS/)
    t.match(await check({ LB_TLS_CERT: file }), /LB_TLS_CERT has no effect without LB_TLS_BIND/)
    t.match(await check({ LB_TLS_CLIENT_CA: file }), /LB_TLS_CLIENT_CA has no effect without LB_TLS_BIND/)
    t.match(await check({ LB_API_KEYS: `${file}-none` }), /file-none/)
    t.match(await check({ LB_TLS_BIND: '127.0.0.1:1', LB_TLS_CERT: `${file}-none` }), /file-none/)
  })
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`${name} asks gRPC's callers for a key too, and counts one key's calls of both ways in together`, async t => {
    const [front, grpc] = (await freePorts(2)) as [number, number]
    const haproxyEnv = {
      LB_API_KEYS: mapOf(t),
      LB_KEY_RATE: '4',
      LB_GRPC_BIND: `127.0.0.1:${front}`,
      LB_GRPC_REPLICA_1: `127.0.0.1:${grpc}`
    }
    const stack = await balanced(t, { replicas: 1, program, haproxyEnv, envOf: () => ({ GRPC_PORT: `${grpc}` }) })
    const caller = new GrpcCaller(t, `127.0.0.1:${front}`)
    const call = (method: string, metadata = {}) => caller.call(method, {}, { metadata })
    for (const method of ['ServerLive', 'ServerReady', 'health.Check'])
      t.equal((await call(method)).status, 'OK', method)
    for (const metadata of [{}, withKey('another'), { authorization: 'Bearer another' }]) {
      const { status, details } = await call('ServerMetadata', metadata)
      t.same([status, details], ['UNAUTHENTICATED', 'unauthorized: the API key is missing or not known'])
    }
    t.equal((await call('ServerMetadata', { authorization: `Bearer ${ALICE}` })).status, 'OK')
    // Some more than are allowed in a second: on a host that takes longer for them all would be let through.
    const both = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? call('ServerMetadata', withKey(BOB)).then(({ status }) => status)
          : stack.ledger.get('/model', withKey(BOB)).then(({ status }) => `${status}`)
      )
    )
    t.ok(both.includes('RESOURCE_EXHAUSTED') && both.includes('429'), both.join())
  })
}
