import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { exchange, openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { spawnService } from '../../support/service.js'
import { type Shared, withService } from '../../support/shared-service.js'
import { v2Inputs } from '../../support/v2.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const right = goldenAnswer(bundle, 0)
const ALICE = 'key-of-alice-5d1e7a'
const BOB = 'key-of-bob-5d1e7a'
const ADMIN_TOKEN = 'token-of-the-operator'
/** What no fast path takes: a wish that it does not know. */
const SLOW = { connection: 'keep-alive, te' }

const LINES = ['# the callers', keyLine('alice', ALICE), '', keyLine('bob', BOB), ''].join('\n')
const file = `${t.testdir({ keys: LINES })}/keys`

/** Holds a service that asks for keys to what every fault must leave alone. */
function withKeys(t: Test, use: (under: Shared) => Promise<{ executed?: number } | void>) {
  return withService(t, { env: { API_KEYS_FILE: file, LOG_REQUESTS: 'true', ADMIN_TOKEN } }, use)
}

const ROUTES: [method: string, path: string, body: string][] = [
  ['POST', '/predict', body],
  ['POST', '/predict/batch', `[${body}]`],
  ['GET', '/predict_ping', ''],
  ['GET', '/model', ''],
  ['GET', '/model/example', ''],
  ['HEAD', '/model', '']
]
const OPEN = ['/readyz', '/metrics', '/healthz', '/ready', '/', '/openapi.json', '/docs']
/** From here on they are counted in the metrics that the book is compared with. */
const COUNTED = 2

t.test('what costs work needs a key, in either header; health and the routes of operators do not', t =>
  withKeys(t, async ({ service, ledger }) => {
    for (const [method, path, sent] of ROUTES) {
      const send = (headers: Record<string, string>) => ledger.send(sent, { method, path, headers })
      const refused = await send({})
      t.equal(refused.status, 401, `${method} ${path}`)
      t.equal(refused.headers['www-authenticate'], 'Bearer')
      t.equal(refused.headers['x-request-id'], refused.id)
      if (method !== 'HEAD') t.match(refused.json, { error: { code: 'unauthorized', retryable: false } })
      for (const headers of [{ 'x-api-key': ALICE }, { authorization: `Bearer ${BOB}` }]) {
        t.equal((await send(headers)).status, 200, `${method} ${path}`)
      }
    }
    // Some of these are what tests look at the service with, so they stand in no book.
    for (const path of OPEN) t.equal((await fetch(`${service.url}${path}`)).status, 200, path)
    for (let open = COUNTED; open < OPEN.length; open++) ledger.book(200)
    t.equal((await ledger.get('/nowhere')).status, 404)
    // The windows of the calls with many are in no entry's predictions.
    return { executed: 2 }
  })
)

t.test('the V2 protocol refuses in its own form; who only probes needs no key', t =>
  withKeys(t, async ({ ledger }) => {
    const { name } = bundle.manifest
    const inputs = v2Inputs(bundle, [0])
    const infer = (headers: Record<string, string>) =>
      ledger.send({ inputs }, { path: `/v2/models/${name}/infer`, headers })
    t.match(await infer({}), { status: 401, text: /^\{"error":"unauthorized: the API key is missing/ })
    t.equal((await infer({ 'x-api-key': ALICE })).status, 200)
    for (const path of ['/v2', `/v2/models/${name}`, `/v2/models/${name}/stats`, '/v2/models/stats']) {
      t.equal((await ledger.get(path)).status, 401, path)
      t.equal((await ledger.get(path, { 'x-api-key': ALICE })).status, 200, path)
    }
    for (const path of ['/v2/health/live', '/v2/health/ready', `/v2/models/${name}/ready`]) {
      t.equal((await ledger.get(path)).status, 200, path)
    }
    return { executed: 1 }
  })
)

const WRONG: Record<string, Record<string, string>> = {
  'no key': {},
  'an empty one': { 'x-api-key': '' },
  'the beginning of one': { 'x-api-key': ALICE.slice(0, -1) },
  'one and more': { 'x-api-key': `${ALICE}x` },
  'one in capitals': { 'x-api-key': ALICE.toUpperCase() },
  'its hash': { 'x-api-key': keyLine('alice', ALICE).split(':')[1]! },
  'its line': { 'x-api-key': keyLine('alice', ALICE) },
  'two keys': { 'x-api-key': `${ALICE}, ${BOB}` },
  'a name': { 'x-api-key': 'alice' },
  'the operator’s token': { authorization: `Bearer ${ADMIN_TOKEN}` },
  'another scheme': { authorization: `Basic ${Buffer.from(`alice:${ALICE}`).toString('base64')}` },
  'a key without a scheme': { authorization: ALICE },
  'a wrong key beside a right token': { 'x-api-key': 'wrong', authorization: `Bearer ${ALICE}` }
}

t.test('a key that is not one is refused on every way in, and nothing is run', t =>
  withKeys(t, async ({ service, ledger }) => {
    for (const [what, headers] of Object.entries(WRONG)) {
      for (const way of [{}, SLOW]) {
        const { status, json } = await ledger.send(body, { headers: { ...headers, ...way } })
        t.match([status, json?.error?.code], [401, 'unauthorized'], what)
      }
    }
    const twice = rawRequest(body, { 'x-api-key': 'wrong', 'X-API-Key': ALICE, connection: 'close' })
    const [status] = statusesIn(await exchange(service.port, twice))
    ledger.book(status!)
    t.equal(status, 401, 'two headers')
    for (const headers of [{ 'x-api-key': ALICE }, { authorization: `bearer ${ALICE}` }]) {
      for (const way of [{}, SLOW])
        t.equal((await ledger.send(body, { headers: { ...headers, ...way }, right })).status, 200)
    }
  })
)

t.test('who has no key is answered before the body is read, and before admission', t =>
  withKeys(t, async ({ service, ledger }) => {
    const { socket, closed } = await openRaw(service.port)
    socket.write(rawRequest('', { 'content-length': '50', connection: 'close' }))
    t.same(statusesIn(await closed), [401], 'not a byte of the body was sent')
    socket.destroy()
    ledger.book(401)
  })
)

t.test('the log has the caller’s name with each request, and the key nowhere', t =>
  withKeys(t, async ({ service, ledger }) => {
    const sent: [Record<string, string>, string | undefined][] = [
      [{ 'x-api-key': ALICE }, 'alice'],
      [{ 'x-api-key': ALICE, ...SLOW }, 'alice'],
      [{ authorization: `Bearer ${BOB}` }, 'bob'],
      [{ authorization: `Bearer ${BOB}`, ...SLOW }, 'bob'],
      [{}, undefined]
    ]
    for (const [headers, caller] of sent) {
      // The book's names begin anew with each test of this file.
      const id = `logged-${Math.random().toString(36).slice(2)}`
      const { status } = await ledger.send('{', { headers: { ...headers, 'x-request-id': id } })
      t.equal(status, caller === undefined ? 401 : 400)
      const line = JSON.parse(await service.line(`"reqId":"${id}"`)) as Record<string, unknown>
      t.match(line, { route: '/predict', status })
      t.equal(line.caller, caller)
    }
    t.notMatch(service.lines.join('\n'), /5d1e7a/)
  })
)

t.test('SIGHUP reads the keys again; a file that is bad by then changes nothing and is told in the log', t =>
  withKeys(t, async ({ service, ledger }) => {
    const ask = async (key: string) => (await ledger.send(body, { headers: { 'x-api-key': key } })).status
    const reread = async (text: string, line: string) => {
      const before = service.lines.length
      writeFileSync(file, text)
      service.process.kill('SIGHUP')
      const said = await eventually(line, () => service.lines.slice(before).find(said => said.includes(line)))
      return JSON.parse(said) as Record<string, unknown>
    }
    t.same([await ask(ALICE), await ask('carol')], [200, 401])
    const again = await reread([keyLine('bob', BOB), keyLine('bob', 'new-5d1e7a')].join('\n'), 'was read again')
    t.equal(again.keys, 2, 'an old and a new key of one caller')
    t.same([await ask(ALICE), await ask(BOB), await ask('new-5d1e7a')], [401, 200, 200])
    const bad = await reread('bob', 'API_KEYS_FILE is bad')
    t.match(bad, { level: 50, reason: 'API_KEYS_FILE has no name:sha256-hex in line 1' })
    t.same([await ask(ALICE), await ask(BOB)], [401, 200], 'the keys stay')
    await reread(LINES, 'was read again')
    t.equal(await ask(ALICE), 200)
  })
)

const HASH = keyLine('a', 'a').split(':')[1]!
const BAD: Record<string, [text: string, said: RegExp]> = {
  'no key': ['# nobody yet\n\n', /has no key$/],
  'a key as it is': [`alice:${ALICE}`, /in line 1$/],
  'a hash without a name': [HASH, /in line 1$/],
  'a name that does not fit a log': [`${keyLine('alice', ALICE)}\na b:${HASH}`, /in line 2$/],
  'a hash that is cut': [`alice:${HASH.slice(1)}`, /in line 1$/],
  'a key twice': [`alice:${HASH}\nbob:${HASH.toUpperCase()}`, /an earlier key again in line 2$/],
  'a file of another kind': ['\x00'.repeat(100), /in line 1$/],
  'a large file': [' '.repeat(1_048_577), /larger than 1 MiB$/]
}

t.test(
  'a file of keys that is bad stops the start, in one line that names the setting and shows nothing of it',
  async t => {
    const folder = t.testdir({})
    const refused = async (what: string, API_KEYS_FILE: string, said: RegExp) => {
      const service = spawnService({ env: { API_KEYS_FILE } })
      t.equal(await service.exit, 1, what)
      t.equal(service.lines.length, 1, what)
      t.match(service.lines[0], /^gru-inference: API_KEYS_FILE /, what)
      t.match(service.lines[0], said, what)
      t.notMatch(service.lines[0], /5d1e7a/, what)
    }
    for (const [what, [text, said]] of Object.entries(BAD)) {
      writeFileSync(`${folder}/keys`, text)
      await refused(what, `${folder}/keys`, said)
    }
    await refused('no file', `${folder}/none`, /cannot be read \(ENOENT\)$/)
    await refused('a folder', folder, /not the path of a file$/)
    execFileSync('mkfifo', [`${folder}/pipe`])
    await refused('a pipe', `${folder}/pipe`, /not the path of a file$/)
  }
)

t.test('the documented command makes a key and its line', t =>
  withKeys(t, async ({ service, ledger }) => {
    const guide = readFileSync('docs/guides/edge.md', 'utf8')
    const command = /```sh\n([^`]*sha256sum[^`]*)```/.exec(guide)![1]!
    const key = execFileSync('bash', ['-euc', command, 'bash'], { cwd: dirname(file), encoding: 'utf8' }).trim()
    t.match(key, /^[!-~]{32,}$/)
    t.match(readFileSync(file, 'utf8'), /^carol:[0-9a-f]{64}$/m)
    service.process.kill('SIGHUP')
    await service.line('"keys":3')
    t.equal((await ledger.send(body, { headers: { 'x-api-key': key }, right })).status, 200)
  })
)

interface Described {
  paths: Record<string, Record<string, { security?: object[]; responses: Record<string, object> }>>
  components: { securitySchemes: Record<string, object> }
}

t.test('/openapi.json says which routes need a key', t =>
  withKeys(t, async ({ ledger }) => {
    const { paths, components } = (await ledger.get('/openapi.json')).json as unknown as Described
    t.match(components.securitySchemes, { apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' } })
    for (const path of ['/predict', '/predict/batch', '/model', '/model/example', '/predict_ping']) {
      const [{ security, responses }] = Object.values(paths[path]!) as [Described['paths'][string][string]]
      t.same(security, [{ apiKey: [] }, { bearer: [] }], path)
      t.ok('401' in responses, path)
    }
    const infer = paths['/v2/models/{model}/infer']!.post!
    t.same(infer.security, [{ apiKey: [] }, { bearer: [] }])
    t.same(infer.responses['401'], infer.responses['400'], 'in the form of the protocol')
    for (const path of ['/healthz', '/metrics', '/v2/health/live'])
      t.notOk(Object.values(paths[path]!)[0]!.security, path)
  })
)
