import t, { type Test } from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { isGolden } from '../support/golden.js'
import type { Answer } from '../support/ledger.js'
import { openRaw, rawRequest } from '../support/raw-socket.js'
import { grown, scrape } from '../support/scrape.js'
import { type Service, type ServiceOptions, startService } from '../support/service.js'
import { SLOW, slowAnswer, slowBody } from '../support/slow-model.js'

const bundle = gru()
const { windows } = bundle.golden

async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

async function ask(service: Service, path: string, body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${service.url}${path}`, { method: 'POST', headers, body: text })
  return { status: response.status, json: (await response.json()) as unknown, headers: response.headers }
}

const batch = async (service: Service, body: unknown) => {
  const { status, json } = await ask(service, '/predict/batch', body)
  return { status, json, outcomes: json as Answer[] }
}

/** What of an answer is no number, and whose it is. */
const facts = ({ status, identifier, model_version, warnings, predictions }: Answer) => ({
  ...{ status, identifier, model_version, warnings },
  times: predictions!.map(({ ts }) => ts)
})

t.test('each golden window of a call gets the trainer’s forecast, as in a call of its own', async t => {
  const service = await started(t, { env: { DEADLINE_MS: '20000' } })
  const bodies = windows.map((_, index) => bodyOf(bundle, index, [undefined, 1, 3, 6][index % 4]))
  const { status, outcomes } = await batch(service, bodies)
  t.equal(status, 200)
  t.equal(outcomes.length, windows.length)
  for (const [index, outcome] of outcomes.entries()) {
    t.ok(isGolden(bundle, windows[index]!.forecast, outcome.predictions![0]!), `window ${index}`)
    const alone = (await ask(service, '/predict', bodies[index])).json as Answer
    t.same(facts(outcome), facts(alone), `window ${index} as alone`)
    // The last bits of a forecast depend on the size of its batch, in calls with one window too.
    for (const [step, row] of alone.predictions!.entries()) {
      const values = bundle.manifest.features.map(({ name }) => Number(row[name]))
      if (!isGolden(bundle, values, outcome.predictions![step]!)) t.same(outcome.predictions![step], row)
    }
  }
  t.equal(new Set(outcomes.map(({ req_id }) => req_id)).size, 1, 'they are of one request')
})

t.test('a bad window gets its error, with its place, and the others their forecasts', async t => {
  const service = await started(t)
  const good = bodyOf(bundle, 0)
  const reversed = { ...good, data: { ...good.data, ts: good.data.ts!.toReversed() } }
  const { down: _, ...data } = good.data
  const bad = [
    { ...good, data: { ...good.data, down: good.data.down!.map(() => -1) } },
    { ...good, data },
    { ...good, inference_length: 31 },
    { ...good, more: 1 },
    5,
    [],
    reversed
  ]
  const { status, outcomes } = await batch(service, [good, ...bad, good])
  t.equal(status, 200)
  t.equal(outcomes.length, bad.length + 2)
  for (const outcome of [outcomes[0], outcomes.at(-1)]) t.equal(outcome!.status, 'SUCCESS')
  t.match(outcomes.slice(1, -1), [
    { error: { code: 'out_of_range', path: '/1/data/down/0' } },
    { error: { code: 'missing_column', path: '/2/data' } },
    { error: { code: 'out_of_range', path: '/3/inference_length', message: /1 to 30/ } },
    { error: { code: 'unknown_field', path: '/4/more' } },
    { error: { code: 'wrong_type', path: '/5' } },
    { error: { code: 'wrong_type', path: '/6' } },
    { error: { code: 'unordered_timestamps', path: /^\/7\/data\/ts\/\d+$/ } }
  ])
  t.match(
    (await batch(service, bad)).outcomes,
    Array.from(bad, () => ({ error: { retryable: false } })),
    'all are bad'
  )
})

t.test('a body that is no list of windows is refused whole', async t => {
  const service = await started(t, { env: { MAX_WINDOWS: '4' } })
  const good = bodyOf(bundle, 0)
  const four = [good, good, good, good]
  t.equal((await batch(service, four)).status, 200)
  const refused: [unknown, number, object][] = [
    [good, 400, { code: 'wrong_type' }],
    [[], 400, { code: 'out_of_range', message: 'expected a window' }],
    [[...four, good], 400, { code: 'out_of_range', message: 'expected at most 4 windows' }],
    [JSON.stringify(four).slice(0, -1), 400, { code: 'malformed_json' }],
    [JSON.stringify(four).replace('"data":{', '"data":'), 400, { code: 'malformed_json' }],
    [`[${JSON.stringify(good)},{"data":nope}]`, 400, { code: 'malformed_json', path: /^\/1/ }],
    [`[${' '.repeat(400_000)}1]`, 413, { code: 'body_too_large', message: /MAX_WINDOWS/ }]
  ]
  for (const [body, status, error] of refused) t.match(await batch(service, body), { status, json: { error } })
  t.equal((await fetch(`${service.url}/predict/batch`)).headers.get('allow'), 'POST')
})

t.test('a call that finds no room is refused whole, and none of its windows is run', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '8', DEADLINE_MS: '20000' }
  const service = await started(t, { env })
  const held = ask(service, '/predict', slowBody(500))
  await eventually('it is taken', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
  const before = await scrape(service.url)
  const { status, json, headers } = await ask(
    service,
    '/predict/batch',
    Array.from({ length: 4 }, () => slowBody(0))
  )
  t.equal(status, 429)
  t.equal(headers.get('retry-after'), '1')
  t.match(json, { error: { code: 'queue_full', retryable: true } })
  const three = await batch(
    service,
    Array.from({ length: 3 }, () => slowBody(0))
  )
  t.equal(three.status, 200)
  t.ok(three.outcomes.every(({ predictions }) => slowAnswer()(predictions!)))
  t.equal((await held).status, 200)
  const after = await scrape(service.url)
  t.equal(grown('gru_rows_executed_total', before, after), 1 + 3)
  t.equal(grown('gru_refusals_total{reason="queue_full"}', before, after), 1)
})

t.test('a caller who hangs up frees every slot, and what has not begun is not run', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '40', DEADLINE_MS: '60000' }
  const service = await started(t, { env })
  const before = await scrape(service.url)
  const { socket } = await openRaw(service.port)
  socket.write(rawRequest(JSON.stringify(Array.from({ length: 20 }, () => slowBody(300))), {}, '/predict/batch'))
  await eventually('all hold slots', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 20)
  socket.resetAndDestroy()
  await eventually('none does', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 0)
  const after = await scrape(service.url)
  t.ok(grown('gru_rows_executed_total', before, after) <= 3, 'what ran had begun')
  t.equal(grown('gru_request_duration_seconds_count{route="/predict/batch",status="499"}', before, after), 1)
})
