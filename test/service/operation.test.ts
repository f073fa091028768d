import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'
import { exchange, rawRequest } from '../support/raw-socket.js'
import { scrape } from '../support/scrape.js'
import { withService } from '../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../support/slow-model.js'
import { eventually } from '../support/eventually.js'
import { Ledger } from '../support/ledger.js'

const bundle = gru()

t.test('live and ready are two things, each with its route', t =>
  withService(t, {}, async ({ service, ledger }) => {
    t.match(await ledger.get('/healthz'), { status: 200, json: { status: 'live', model_ready: true } })
    t.match(await ledger.get('/ready'), { status: 200, json: { status: 'ready', model_ready: true } })
    t.same(await (await fetch(`${service.url}/readyz`)).json(), { status: 'ready', model_ready: true })
    t.equal((await scrape(service.url)).get('gru_ready'), 1)
  })
)

t.test('/predict_ping tells the lengths, and whether there is a place', t =>
  withService(
    t,
    { env: { ...SLOW, QUEUE_ROWS: '2', BATCH_CAP: '1', DEADLINE_MS: '20000' } },
    async ({ service, ledger }) => {
      const idle = {
        status: 'SUCCESS',
        model_loaded: true,
        input_seq_len: 2,
        output_seq_len: 1,
        has_df: false,
        busy: false,
        active_jobs: 0
      }
      t.same((await ledger.get('/predict_ping')).json, idle)
      const two = [500, 500].map(work => ledger.send(slowBody(work), { right: slowAnswer() }))
      await eventually('both are in', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 2)
      t.same((await ledger.get('/predict_ping')).json, { ...idle, busy: true, active_jobs: 2 })
      await Promise.all(two)
      t.same((await ledger.get('/predict_ping')).json, idle)
    }
  )
)

t.test('/model shows what serves, since when, and how the last promotion ended', t =>
  withService(t, {}, async ({ ledger, before }) => {
    const { json } = await ledger.get('/model')
    const { name, version, run_id, features, window, frequency_seconds, sha256, target } = bundle.manifest
    t.match(json, {
      ready: true,
      model: { name, version, run_id, features, window, frequency_seconds, sha256, target }
    })
    const { since } = json!.model as { since: string }
    t.ok(Date.now() - Date.parse(since) < 3_600_000 && Date.parse(since) <= Date.now())
    t.match(json!.last_promotion, { outcome: 'live', version })
    t.equal(before.get(`gru_model_info{name="${name}",version="${version}",run_id="${run_id}",digest="${sha256}"}`), 1)
  })
)

t.test('an answer names the model, repeats the request id, and says where its time went', t =>
  withService(t, {}, async ({ ledger }) => {
    const { json, headers, id, t: took } = await ledger.send(bodyOf(bundle, 0, 3))
    const { name, version, run_id, target, features } = bundle.manifest
    const { predictions = [], ...rest } = json!
    t.same(rest, { status: 'SUCCESS', identifier: name, run_id, model_version: version, req_id: id, cached: false })
    t.equal(predictions.length, 3)
    for (const row of predictions) {
      t.same(Object.keys(row), ['ts', 'value', ...features.map(feature => feature.name)])
      t.equal(row.value, row[target])
    }
    const timing = /^validate;dur=([\d.]+), queue;dur=([\d.]+), infer;dur=([\d.]+)$/.exec(
      String(headers['server-timing'])
    )
    const parts = timing!.slice(1).map(Number)
    t.ok(parts[2]! > 0, 'the model took time')
    t.ok(parts.reduce((sum, part) => sum + part) <= took, `${parts.join(' + ')} of ${took} ms`)
  })
)

/** Ids that could end a header, a log line or a JSON string early, or fill a disk. */
const HOSTILE = ['a b', 'a"b', 'a\\b', 'a,b', 'a;b', '{}', '<script>', 'é', '%0a', "'", '$(id)', 'x'.repeat(129), '']

t.test('a request id is honoured where it is harmless, and replaced by an own one where not', t =>
  withService(t, {}, async ({ service, ledger }) => {
    const ids = async (given?: string) => {
      const caller = new Ledger(service.url)
      const headers = given === undefined ? {} : { 'x-request-id': Buffer.from(given).toString('latin1') }
      const entry = await caller.send(bodyOf(bundle, 0), { headers })
      caller.close()
      ledger.book(entry.status, `\r\n\r\n${entry.text}`)
      t.equal(entry.headers['x-request-id'], entry.json?.req_id)
      return entry.json?.req_id
    }
    for (const given of ['a', 'A-1_2.3:4+5/6=7@8', 'x'.repeat(128), '0123456789abcdef'])
      t.equal(await ids(given), given)
    const own = new Set<string | undefined>()
    for (const given of HOSTILE) own.add(await ids(given))
    t.equal(own.size, HOSTILE.length, 'each a new one')
    for (const id of own) t.match(id, /^[\w-]{5,64}$/)
    const body = JSON.stringify(bodyOf(bundle, 0))
    const twice = await exchange(
      service.port,
      rawRequest(body, { 'x-request-id': 'one', 'X-Request-Id': 'two', connection: 'close' })
    )
    t.notMatch(twice, /x-request-id: (one|two)/i, 'two are none')
    ledger.book(200, twice)
    const none = await exchange(service.port, rawRequest(body, { connection: 'close' }))
    t.match(none, /x-request-id: [\w-]{5,64}\r/i, 'none gets one')
    ledger.book(200, none)
  })
)

t.test('errors carry the request id too', t =>
  withService(t, {}, async ({ ledger }) => {
    const answers = [
      await ledger.send('{'),
      await ledger.get('/nowhere'),
      await ledger.send('', { headers: { 'content-encoding': 'br' } })
    ]
    for (const { headers, id, status } of answers) t.equal(headers['x-request-id'], id, String(status))
    t.same(
      answers.map(({ status }) => status),
      [400, 404, 415]
    )
    const right = goldenAnswer(bundle, 1)
    t.equal((await ledger.send(bodyOf(bundle, 1), { right })).status, 200)
  })
)
