import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bodyOf, gru, lstm } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { isGolden, namedRow } from '../../support/golden.js'
import type { Answer } from '../../support/ledger.js'
import { invoke, predictionsOf, split } from '../../support/mlflow-scoring.js'
import { type Service, type ServiceOptions, startService } from '../../support/service.js'

const bundle = gru()
const { manifest, golden } = bundle
const { windows } = golden
const PYTHON = '.services/clients-mlflow/bin/python'
const names = manifest.features.map(({ name }) => name)

async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

/** A forecast row of a frame, its times as text, or as pandas' ms. */
type Row = Record<string, number | string>

/** What the program with MLflow's client prints. */
interface Printed {
  version: string
  frames: Row[][]
  ways: Record<string, Row[]>
  steps: Row[]
  array: number[][]
  'array as a frame': number[][]
  'array, steps': number[][][]
  refused: Record<string, string>
}

async function printed(service: Service): Promise<Printed> {
  const python = promisify(execFile)(PYTHON, ['test/fixtures/clients-mlflow/scoring_client.py'], {
    maxBuffer: 64 * 1024 * 1024
  })
  python.child.stdin!.end(JSON.stringify({ port: service.port, features: names, windows }))
  return JSON.parse((await python).stdout) as Printed
}

const nextTimes = (index: number, steps: number) => {
  const last = Date.parse(`${windows[index]!.time.at(-1)}Z`)
  return Array.from({ length: steps }, (_, step) => new Date(last + (step + 1) * 120_000).toISOString().slice(0, 19))
}
/** Two minutes apart from the window's end on, whatever stands between date and time. */
const isNext = (rows: Row[], index: number) =>
  rows.map(({ ts }) => String(ts).replace(' ', 'T').slice(0, 19)).join() === nextTimes(index, rows.length).join()

t.test('MLflow’s client and pandas, unchanged, get the trainer’s forecasts', async t => {
  const service = await started(t, { env: { DEADLINE_MS: '20000' } })
  const { version, frames, ways, steps, ...arrays } = await printed(service)
  const pinned = /^mlflow-skinny==(.+?) /m.exec(
    readFileSync('test/servers/clients-mlflow/requirements.txt', 'utf8')
  )![1]
  t.equal(version, pinned, 'it says the version of the client that it was tried with')
  for (const [index, { forecast }] of windows.entries()) {
    const rows = frames[index]!
    t.equal(rows.length, 1)
    t.ok(isGolden(bundle, forecast, rows[0]!) && isNext(rows, index), `a frame of window ${index}`)
    t.same(Object.keys(rows[0]!), ['ts', ...names], 'with the columns of the frame that was sent')
    t.ok(isGolden(bundle, forecast, namedRow(bundle, arrays.array[index]!)), `an array of window ${index}`)
  }
  for (const [way, rows] of Object.entries(ways)) {
    t.ok(rows.length === 1 && isGolden(bundle, windows[0]!.forecast, rows[0]!) && isNext(rows, 0), way)
  }
  t.same(arrays['array as a frame'], arrays.array)
  const rollout = golden.rollouts!.find(({ index }) => index === 0)!.forecasts
  t.ok(steps.length === 3 && isNext(steps, 0))
  for (const [step, row] of steps.entries()) t.ok(isGolden(bundle, rollout[step]!, row), `step ${step}`)
  for (const [index, rows] of arrays['array, steps'].entries()) {
    t.equal(rows.length, 3)
    t.ok(isGolden(bundle, windows[index]!.forecast, namedRow(bundle, rows[0]!)))
  }
  t.same(
    arrays['array, steps'][0],
    steps.map(row => names.map(name => row[name])),
    'as the steps of the frame'
  )
  t.match(arrays.refused, {
    'a missing value': /400.*malformed_json at \/dataframe_split\/data\/3\/2: .*NaN/,
    'a missing time': /400.*\/dataframe_split\/data\/4\/0: /,
    'a missing value as null': /400.*not_a_number at \/dataframe_split\/data\/3\/2: /,
    'another column': /400.*unknown_column at \/dataframe_split\/columns\/12: /,
    'a column less': /400.*missing_column at \/dataframe_split\/columns: .*rb_up/,
    'a row less': /400.*too_few_rows at \/dataframe_split\/columns\/0: /,
    'an array of another shape': /400.*ragged_columns at \/inputs\/0: expected 10 rows, got 9/,
    'a negative value': /400.*out_of_range at \/inputs\/1: row 0, down: .*also at fault: \/inputs\/2/,
    'too many steps': /400.*out_of_range at \/params\/inference_length: expected a whole number from 1 to 30/,
    'another parameter': /400.*unknown_field at \/params\/horizon: /
  })
})

t.test('the program in docs/reference/protocols.md runs as it stands there', async t => {
  const service = await started(t)
  const [, program = ''] = /```python\n([^`]*)```/.exec(readFileSync('docs/reference/protocols.md', 'utf8'))!
  const given = [
    ...['import json, sys', 'import numpy as np, pandas as pd', 'asked = json.load(sys.stdin)'],
    'frame = pd.DataFrame(asked["data"], columns=asked["columns"])',
    'array = frame.drop(columns="ts").to_numpy()[None]'
  ]
  const printing = program.replace(
    /^client\.invoke.*$/gm,
    line => `print(json.dumps(np.shape(${line.split('  #')[0]})))`
  )
  const source = [...given, printing.replace('8080', String(service.port))].join('\n')
  const python = promisify(execFile)(PYTHON, ['-c', source])
  python.child.stdin!.end(JSON.stringify(split(0)))
  const shapes = (await python).stdout.trim().split('\n')
  t.strictSame(
    shapes,
    [JSON.stringify([3, 12]), JSON.stringify([1, 11])].map(shape => shape.replace(',', ', '))
  )
})

t.test('every form of a frame gives the bits of /predict, alone', async t => {
  const service = await started(t)
  const body = JSON.stringify(bodyOf(bundle, 5))
  const asked = await fetch(`${service.url}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body
  })
  const { value: _, ...alone } = ((await asked.json()) as Answer).predictions![0]!
  const { columns, data } = split(5)
  const records = data.map(row => Object.fromEntries(columns.map((name, at) => [name, row[at]])))
  const csv = [columns, ...data].map(row => row.join()).join('\r\n')
  t.same(predictionsOf(await invoke(service, { dataframe_split: { columns, data } })), [alone])
  t.same(predictionsOf(await invoke(service, { dataframe_records: records })), [alone])
  t.same(predictionsOf(await invoke(service, csv, 'text/csv')), [alone])
  const row = names.map(name => alone[name])
  for (const field of ['inputs', 'instances']) {
    t.same(predictionsOf(await invoke(service, { [field]: [windows[5]!.window] })), [row])
  }
  t.same(predictionsOf(await invoke(service, { inputs: { window: [windows[5]!.window] } })), [row])
  t.same(predictionsOf(await invoke(service, { instances: [{ window: windows[5]!.window }] })), [row])
})

t.test('a model that takes minutes gets them from the times of a frame, or beside the windows', async t => {
  const small = lstm()
  const service = await started(t, { env: { MODEL_DIR: small.folder } })
  const { time, window, minute, forecast } = small.golden.windows[0]!
  const columns = small.manifest.features.map(({ name }) => name)
  const frame = { dataframe_split: { index: time, columns, data: window } }
  const [row] = predictionsOf(await invoke(service, frame)) as Row[]
  t.ok(isGolden(small, forecast, row!))
  for (const body of [{ inputs: { window: [window], minute: [minute] } }, { instances: [{ window, minute }] }]) {
    const [values] = predictionsOf(await invoke(service, body)) as number[][]
    t.ok(isGolden(small, forecast, namedRow(small, values!)))
  }
  t.match(await invoke(service, { inputs: [window] }), {
    status: 400,
    text: /missing_field at \/inputs\/0: the model takes the minute /
  })
  const backwards = { inputs: { window: [window], minute: [minute!.toReversed()] } }
  t.match(await invoke(service, backwards), { status: 400, text: /unordered_timestamps at \/inputs\/window\/0: row 1/ })
  const float = { inputs: { window: [window], minute: [minute!.with(2, 0.5)] } }
  t.match(await invoke(service, float), { status: 400, text: /bad_timestamp at \/inputs\/minute\/0\/2: / })
})

t.test('who asks is told whether it is healthy, as MLflow tells it', async t => {
  const service = await started(t, { env: { DRAIN_DELAY_MS: '1500' } })
  const ask = async (path: string) => {
    const answer = await fetch(service.url + path)
    return [answer.status, await answer.text()]
  }
  for (const path of ['/ping', '/health']) t.same(await ask(path), [200, '\n'], path)
  service.process.kill('SIGTERM')
  await eventually('it is not ready', async () => (await fetch(`${service.url}/readyz`)).status === 503)
  for (const path of ['/ping', '/health']) t.same(await ask(path), [404, '\n'], path)
  t.equal(await service.exit, 0)
})
