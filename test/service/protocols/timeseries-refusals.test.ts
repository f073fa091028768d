import t, { type Test } from 'tap'
import { gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { type Service, type ServiceOptions, startService } from '../../support/service.js'
import { SLOW } from '../../support/slow-model.js'
import { ask, call, PATH, series } from '../../support/timeseries.js'

const { windows } = gru().golden

async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

const wrongRow = windows[0]!.window.with(3, [1])
/** Bad series by what is wrong, with the code and the pointer within the series. */
const BAD_SERIES: [object, string, string][] = [
  [{ type: undefined }, 'missing_field', '/type'],
  [{ type: 5 }, 'wrong_type', '/type'],
  [{ name: undefined }, 'missing_field', '/name'],
  [{ name: 5 }, 'wrong_type', '/name'],
  [{ series: undefined }, 'wrong_type', '/series'],
  [{ series: windows[0]!.window[0] }, 'wrong_type', '/series/0'],
  [{ series: wrongRow }, 'ragged_columns', '/series/3'],
  [
    { series: windows[0]!.window.with(3, windows[0]!.window[3]!.with(4, null as never)) },
    'not_a_number',
    '/series/3/4'
  ],
  [{ series: windows[0]!.window.with(3, windows[0]!.window[3]!.with(4, 1e300)) }, 'non_finite', '/series/3/4'],
  [{ series: new Array(1001).fill(windows[0]!.window[0]) }, 'too_many_rows', '/series'],
  [{ frequency: undefined }, 'missing_field', '/frequency'],
  [{ frequency: 120 }, 'wrong_type', '/frequency'],
  [{ frequency: '2min' }, 'out_of_range', '/frequency'],
  [{ frequency: 'constructor' }, 'out_of_range', '/frequency'],
  [{ frequency: 'year' }, 'out_of_range', '/frequency'],
  [{ frequency_seconds: 90 }, 'out_of_range', '/frequency_seconds'],
  [{ frequency_seconds: 0 }, 'out_of_range', '/frequency_seconds'],
  [{ frequency_seconds: '120' }, 'wrong_type', '/frequency_seconds'],
  [{ start_timestamp: 1_519_785_240 }, 'wrong_type', '/start_timestamp'],
  [{ start_timestamp: '2018-02-29T00:00:00' }, 'bad_timestamp', '/start_timestamp'],
  [{ start_timestamp: '2099-12-31T23:59:00' }, 'bad_timestamp', '/start_timestamp']
]

/** Calls that are refused whole, with the status, the code and the pointer. */
const REFUSED: [unknown, number, string, string | null][] = [
  ['', 400, 'malformed_json', null],
  ['[]', 400, 'wrong_type', null],
  ['{"model":1,"model":2}', 400, 'duplicate_key', '/model'],
  [{}, 400, 'missing_field', '/model'],
  [{ ...call([]), model: 5 }, 400, 'wrong_type', '/model'],
  [{ ...call([series(0)]), options: undefined }, 400, 'missing_field', '/options'],
  [{ ...call([series(0)]), options: {} }, 400, 'wrong_type', '/options/horizon'],
  [call([series(0)], 0), 400, 'out_of_range', '/options/horizon'],
  [{ ...call([series(0)]), options: { horizon: 1, quantiles: 0.5 } }, 400, 'unknown_field', '/options/quantiles'],
  [call([]), 400, 'out_of_range', '/inputs'],
  [call({}), 400, 'wrong_type', '/inputs'],
  [call(new Array(257).fill(0)), 400, 'out_of_range', '/inputs'],
  [`{"inputs":${'['.repeat(3000)}${']'.repeat(3000)}}`, 400, 'bad_request', '/inputs'],
  [' '.repeat(1_100_000), 413, 'body_too_large', null]
]

t.test('what is wrong is told in KServe’s form, of a series or of the call', async t => {
  const service = await started(t)
  const { status, json } = await ask(service, call([5, ...BAD_SERIES.map(([fields]) => series(0, fields)), series(0)]))
  t.equal(status, 200)
  const { outputs } = json
  t.match([json.status, outputs.at(-1)!.status], ['partial', 'completed'])
  t.match(outputs[0], { status: 'error', error: { type: 'wrong_type', param: '/inputs/0' } })
  for (const [at, [fields, type, pointer]] of BAD_SERIES.entries()) {
    const param = `/inputs/${at + 1}${pointer}`
    const { name: _, ...told } = outputs[at + 1]! as unknown as Record<string, unknown>
    t.match(
      told,
      { status: 'error', content: [], error: { code: '400', type, param } },
      JSON.stringify(fields).slice(0, 60)
    )
  }
  for (const [body, status, type, param] of REFUSED) {
    const answer = await ask(service, body)
    const what = `${type} ${param}`
    t.equal(answer.status, status, what)
    t.match(answer.json, { error: { code: String(status), type } }, what)
    if (type !== 'bad_request') t.equal(answer.json.error!.param, param, what)
  }
  t.match(await ask(service, 'x', 'text/csv'), {
    status: 415,
    json: { error: { code: '415', type: 'unsupported_media_type' } }
  })
  const read = await fetch(service.url + PATH)
  t.match([read.status, await read.json()], [405, { error: { code: '405', type: 'method_not_allowed' } }])
  const zipped = await fetch(service.url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'br' },
    body: '{}'
  })
  t.match([zipped.status, await zipped.json()], [415, { error: { type: 'unsupported_media_type' } }])
})

t.test('a call that finds no room is refused whole, one that comes too late tells it of the series', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '4', DEADLINE_MS: '400' }
  const service = await started(t, { env })
  const input = (work: number) => ({
    ...series(0, {
      series: [
        [10, 0],
        [20, work]
      ],
      frequency: 'T',
      frequency_seconds: undefined
    })
  })
  const slow = (...works: number[]) => ask(service, { ...call(works.map(input)), model: 'slow' })
  const running = slow(900)
  await eventually('it runs', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
  const late = slow(0)
  await eventually('it waits', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 2)
  t.match(await slow(0, 0), { status: 429, json: { error: { code: '429', type: 'queue_full' } } })
  const error = { code: '504', type: 'deadline_exceeded', param: null }
  t.match(await late, { status: 200, json: { status: 'error', outputs: [{ status: 'error', error }] } })
  t.match(await running, { status: 200, json: { status: 'completed' } })
})

t.test('who hangs up frees every slot', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '40', DEADLINE_MS: '60000' }
  const service = await started(t, { env })
  const before = await scrape(service.url)
  const { socket } = await openRaw(service.port)
  const input = series(0, {
    series: [
      [10, 0],
      [20, 300]
    ],
    frequency_seconds: 60
  })
  const body = JSON.stringify({ ...call(new Array(20).fill(input)), model: 'slow' })
  socket.write(rawRequest(body, {}, PATH))
  await eventually('all hold slots', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 20)
  socket.resetAndDestroy()
  await eventually('none does', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 0)
  const after = await scrape(service.url)
  t.equal(grown(`gru_request_duration_seconds_count{route="${PATH}",status="499"}`, before, after), 1)
})
