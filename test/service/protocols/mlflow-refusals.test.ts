import t, { type Test } from 'tap'
import { gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { namedRow } from '../../support/golden.js'
import { invoke, split } from '../../support/mlflow-scoring.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { type Service, type ServiceOptions, startService } from '../../support/service.js'
import { SLOW, slowBody } from '../../support/slow-model.js'

const bundle = gru()
const { windows } = bundle.golden
const names = bundle.manifest.features.map(({ name }) => name)

async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

/** A body with its content type, and the start of the message with which it is refused. */
const CSV_LINE = windows[0]!.window[0]!.join()
const REFUSED: [what: string, body: unknown, message: string, type?: string][] = [
  ['nothing', '', 'malformed_json: '],
  ['no object', [], 'wrong_type: expected an object'],
  ['none of the fields', {}, 'missing_field: expected exactly one of dataframe_split, '],
  ['two of them', { inputs: [], instances: [] }, 'unknown_field at /inputs: expected exactly one of '],
  ['another field', { inputs: [], signature_name: 'x' }, 'unknown_field at /signature_name: '],
  ['a key twice', '{"inputs":[],"inputs":[]}', 'duplicate_key at /inputs: '],
  ['half a character', Buffer.from([0x7b, 0xc3]), 'invalid_utf8: '],
  ['half a character in CSV', Buffer.from([0x61, 0xc3]), 'invalid_utf8: ', 'text/csv'],
  ['much depth', `{"inputs":${'['.repeat(9000)}${']'.repeat(9000)}}`, 'bad_request: the body has more than 32 levels'],
  ['params that are no object', { inputs: [], params: 1 }, 'wrong_type at /params: '],
  ['half a step', { inputs: [], params: { inference_length: 1.5 } }, 'out_of_range at /params/inference_length: '],
  ['a step as text', { inputs: [], params: { inference_length: '2' } }, 'wrong_type at /params/inference_length: '],
  ['no window', { inputs: [] }, 'out_of_range at /inputs: expected a window'],
  ['too many windows', { inputs: new Array(257).fill(0) }, 'out_of_range at /inputs: expected at most 256 windows'],
  ['a window alone', { inputs: windows[0]!.window }, 'ragged_columns at /inputs/0: expected 10 rows, got 11'],
  ['text for a number', { inputs: [windows[0]!.window.with(2, ['1' as never])] }, 'ragged_columns at /inputs/0/2: '],
  [
    'null for a number',
    { inputs: [windows[0]!.window.with(2, windows[0]!.window[2]!.with(4, null as never))] },
    'not_a_number at /inputs/0/2/4: '
  ],
  [
    'more than float32',
    { instances: [windows[0]!.window.with(2, windows[0]!.window[2]!.with(1, 1e300))] },
    'non_finite at /instances/0: row 2, up: '
  ],
  [
    'minutes that nobody takes',
    { inputs: { window: [windows[0]!.window], minute: [[]] } },
    'unknown_field at /inputs/minute/0: '
  ],
  [
    'an index of a tensor',
    { inputs: [windows[0]!.window], params: { index_col: 'ts' } },
    'unknown_field at /params/index_col: '
  ],
  ['a frame without columns', { dataframe_split: { data: [] } }, 'missing_field at /dataframe_split: '],
  [
    'another field of a frame',
    { dataframe_split: { ...split(0), dtypes: 1 } },
    'unknown_field at /dataframe_split/dtypes: '
  ],
  [
    'a column twice',
    { dataframe_split: { columns: ['a', 'a'], data: [] } },
    'duplicate_key at /dataframe_split/columns/1: '
  ],
  [
    'a column without a name',
    { dataframe_split: { columns: [1], data: [] } },
    'wrong_type at /dataframe_split/columns/0: '
  ],
  [
    'a ragged row',
    { dataframe_split: { columns: ['a'], data: [[1], [1, 2]] } },
    'ragged_columns at /dataframe_split/data/1: '
  ],
  ['a short index', { dataframe_split: { ...split(0), index: [0] } }, 'ragged_columns at /dataframe_split/index: '],
  [
    'times backwards',
    { dataframe_split: { ...split(0), data: split(0).data.toReversed() } },
    'unordered_timestamps at /dataframe_split/data/1/0: '
  ],
  [
    'times of the index backwards',
    { dataframe_split: { index: windows[0]!.time.toReversed(), columns: names, data: windows[0]!.window } },
    'unordered_timestamps at /dataframe_split/index/1: '
  ],
  [
    'times in seconds',
    { dataframe_split: { columns: ['ts', ...names], data: split(0).data.map(row => row.with(0, 1_519_785_240)) } },
    'wrong_type at /dataframe_split/data/0/0: '
  ],
  [
    'no times',
    { dataframe_split: { index: [...windows[0]!.window.keys()], columns: names, data: windows[0]!.window } },
    'missing_index: the frame has no column of times'
  ],
  [
    'another column of times',
    { dataframe_split: split(0), params: { index_col: 'at' } },
    'missing_index at /params/index_col: '
  ],
  ['records that are none', { dataframe_records: [1] }, 'wrong_type at /dataframe_records/0: '],
  [
    'a record with a gap',
    {
      dataframe_records: split(0).data.map((row, at) => ({
        ts: row[0],
        ...namedRow(bundle, row.slice(1) as number[]),
        ...(at === 4 && { up: null })
      }))
    },
    'not_a_number at /dataframe_records/4/up: '
  ],
  ['CSV of nothing', '\n\n', 'too_few_rows: ', 'text/csv'],
  ['CSV that is ragged', `ts,a\n\n1,2\n3`, 'ragged_columns at /line 4: ', 'text/csv'],
  [
    'CSV with a gap',
    csvOf(line => (line === 3 ? `${windows[0]!.time[3]},,${CSV_LINE.slice(CSV_LINE.indexOf(',') + 1)}` : undefined)),
    'not_a_number at /line 5/down: ',
    'text/csv'
  ],
  ['CSV with a quote open', 'ts,"a\n1,2', 'bad_request at /line 1/1: ', 'text/csv']
]

/** A window as CSV, with other lines where `instead` gives them. */
function csvOf(instead: (row: number) => string | undefined): string {
  const lines = windows[0]!.window.map((row, at) => instead(at) ?? `${windows[0]!.time[at]},${row.join()}`)
  return [`ts,${names.join()}`, ...lines].join('\n')
}

t.test('what is wrong is told in MLflow’s form, with the element', async t => {
  const service = await started(t)
  for (const [what, body, message, type] of REFUSED) {
    const { status, text } = await invoke(service, body, type)
    const error = JSON.parse(text) as { error_code: string; message: string }
    t.equal(status, 400, what)
    t.equal(error.error_code, 'BAD_REQUEST', what)
    t.equal(error.message.slice(0, message.length), message, what)
    t.ok(text.length < 1000, `${what}: a short answer`)
  }
  const good = { dataframe_split: split(0) }
  for (const type of ['application/json', 'application/json; charset=UTF-8', 'Application/JSON;charset="utf-8"']) {
    t.equal((await invoke(service, good, type)).status, 200, type)
  }
  for (const type of [
    'application/json; charset=latin1',
    'text/csv; header=present',
    'application/vnd.apache.parquet',
    'text/plain'
  ]) {
    const answer = await invoke(service, good, type)
    t.match(answer, { status: 415, type: /^text\/plain/, text: /^unsupported_media_type: / }, type)
  }
  const untyped = await fetch(`${service.url}/invocations`, { method: 'POST', body: Buffer.from('{}') })
  t.match([untyped.status, await untyped.text()], [415, /^unsupported_media_type: the body must be /])
  const empty = await fetch(`${service.url}/invocations`, { method: 'POST' })
  t.match([empty.status, await empty.text()], [415, /^unsupported_media_type: the body must be /])
  const large = await invoke(service, ' '.repeat(1_100_000))
  t.match(JSON.parse(large.text), { error_code: 'BAD_REQUEST', message: /^body_too_large: / })
  t.equal(large.status, 413)
  const queried = await fetch(`${service.url}/invocations?x=1`, { method: 'POST' })
  t.equal(queried.status, 415, 'the content type comes first')
  const read = await fetch(`${service.url}/invocations`)
  t.match([read.status, await read.json()], [405, { error_code: 'BAD_REQUEST', message: /^method_not_allowed: / }])
})

t.test('a call that finds no room or comes too late is told so in MLflow’s form', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '2', DEADLINE_MS: '400' }
  const service = await started(t, { env })
  const { ts, ...columns } = slowBody(0).data
  const frame = (work: number) => ({
    dataframe_split: {
      index: ts,
      columns: Object.keys(columns),
      data: [
        [10, 0],
        [20, work]
      ]
    }
  })
  const running = invoke(service, frame(1000))
  await eventually('it runs', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
  const late = invoke(service, frame(0))
  await eventually('it waits', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 2)
  const full = await invoke(service, frame(0))
  t.match([full.status, JSON.parse(full.text)], [429, { error_code: 'RESOURCE_EXHAUSTED', message: /^queue_full: / }])
  const expired = await late
  t.match(
    [expired.status, JSON.parse(expired.text)],
    [504, { error_code: 'DEADLINE_EXCEEDED', message: /^deadline_exceeded: / }]
  )
  t.equal((await running).status, 200)
})

t.test('who hangs up frees every slot', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '40', DEADLINE_MS: '60000' }
  const service = await started(t, { env })
  const before = await scrape(service.url)
  const { socket } = await openRaw(service.port)
  const window = [
    [10, 0],
    [20, 300]
  ]
  socket.write(rawRequest(JSON.stringify({ inputs: new Array(20).fill(window) }), {}, '/invocations'))
  await eventually('all hold slots', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 20)
  socket.resetAndDestroy()
  await eventually('none does', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 0)
  const after = await scrape(service.url)
  t.equal(grown('gru_request_duration_seconds_count{route="/invocations",status="499"}', before, after), 1)
})
