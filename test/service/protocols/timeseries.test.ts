import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bodyOf, gru, lstm } from '../../support/bundles.js'
import { isGolden, namedRow } from '../../support/golden.js'
import type { Answer } from '../../support/ledger.js'
import { type Service, type ServiceOptions, startService } from '../../support/service.js'
import { ask, call, series, type TimeSeriesAnswer } from '../../support/timeseries.js'

const bundle = gru()
const { manifest, golden } = bundle
const { windows } = golden

async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

/** What the program with KServe's types prints. */
interface Printed {
  all: TimeSeriesAnswer
  mixed: TimeSeriesAnswer
  none: TimeSeriesAnswer
  quantiles: unknown
  model: unknown
  horizon: unknown
  minutes: Record<string, number>
}

async function printed({ url }: Service): Promise<Printed> {
  const python = promisify(execFile)(
    '.services/clients-v2/bin/python',
    ['test/fixtures/clients-v2/kserve_timeseries.py'],
    {
      maxBuffer: 64 * 1024 * 1024
    }
  )
  python.child.stdin!.end(JSON.stringify({ url, model: manifest.name, windows, horizon: 3 }))
  return JSON.parse((await python).stdout) as Printed
}

t.test('KServe’s own types take every answer, with the trainer’s forecasts', async t => {
  const service = await started(t, { env: { DEADLINE_MS: '20000' } })
  const { all, mixed, none, minutes, ...refused } = await printed(service)
  t.match(all, { status: 'completed', error: null, model: manifest.name })
  t.ok(Math.abs(Date.now() / 1000 - all.created_at) < 600)
  t.equal(new Set(all.outputs.map(({ id }) => id)).size, windows.length)
  for (const [index, { type, status, content }] of all.outputs.entries()) {
    const [forecast] = content
    const { forecast: expected, time } = windows[index]!
    t.match([type, status, content.length], ['time_series_forecast', 'completed', 1])
    t.match(forecast, {
      type: 'multivariate_time_series',
      name: `cell ${index}`,
      frequency: 'T',
      frequency_seconds: 120
    })
    const start = Date.parse(`${time[0]}Z`) + time.length * 120_000
    t.equal(forecast!.start_timestamp, new Date(start).toISOString().replace('.000', ''), 'start + length')
    const steps = golden.rollouts!.find(rollout => rollout.index === index)?.forecasts ?? [expected]
    t.equal(forecast!.mean_forecast.length, 3)
    for (const [step, row] of steps.slice(0, 3).entries()) {
      t.ok(isGolden(bundle, row, namedRow(bundle, forecast!.mean_forecast[step]!)), `window ${index}, step ${step}`)
    }
  }
  t.equal(mixed.status, 'partial')
  t.match(
    mixed.outputs.map(({ status, content, error }) => [status, content.length, error]),
    [
      ['completed', 1, null],
      ['error', 0, { code: '400', type: 'out_of_range', param: '/inputs/1/type', message: /all of its features/ }],
      ['error', 0, { code: '400', type: 'out_of_range', param: '/inputs/2/series/0/0' }],
      ['error', 0, { code: '400', type: 'too_few_rows', param: '/inputs/3/series' }],
      ['error', 0, { code: '400', type: 'out_of_range', param: '/inputs/4/frequency' }],
      ['error', 0, { code: '400', type: 'missing_field', param: '/inputs/5/start_timestamp' }]
    ]
  )
  t.match(none, { status: 'error', error: null, outputs: [{ status: 'error', error: { type: 'too_few_rows' } }] })
  t.match(refused, {
    quantiles: { status: 400, error: { code: '400', type: 'unknown_field', param: '/options/quantiles' } },
    model: { status: 404, error: { code: '404', type: 'not_found', param: '/model', message: /gru-traffic/ } },
    horizon: { status: 400, error: { code: '400', type: 'out_of_range', param: '/options/horizon' } }
  })
  for (const [frequency, seconds] of Object.entries(minutes)) {
    const { json } = await ask(service, call([series(0, { frequency, frequency_seconds: undefined })]))
    const [{ content }] = json.outputs as [TimeSeriesAnswer['outputs'][0]]
    const start = Date.parse(`${windows[0]!.time[0]}Z`) + windows[0]!.window.length * seconds * 1000
    t.equal(content[0]!.start_timestamp, new Date(start).toISOString().slice(0, 19), `${frequency} as KServe counts it`)
  }
})

t.test('a series gives the bits of /predict, and its warnings', async t => {
  const service = await started(t)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(bodyOf(bundle, 7, 6))
  const asked = await fetch(`${service.url}/predict`, { method: 'POST', headers, body })
  const { predictions, warnings } = (await asked.json()) as Answer
  const { json } = await ask(service, call([series(7)], 6))
  const [{ content, warnings: own }] = json.outputs as [TimeSeriesAnswer['outputs'][0]]
  t.same(
    content[0]!.mean_forecast,
    predictions!.map(row => manifest.features.map(({ name }) => row[name]))
  )
  t.equal(content[0]!.start_timestamp, predictions![0]!.ts)
  t.same(own, warnings)
  const other = await ask(service, call([series(7, { frequency_seconds: undefined })]))
  t.match(other.json.outputs[0]!.warnings, [/^other_spacing: the window's rows are 60 s apart/])
  t.notOk('frequency_seconds' in other.json.outputs[0]!.content[0]!, 'nothing is said that was not asked')
})

t.test('of a longer series the last rows count, and a model that takes minutes gets them', async t => {
  const small = lstm()
  const service = await started(t, { env: { MODEL_DIR: small.folder } })
  const { time, window, forecast } = small.golden.windows[0]!
  const seconds = small.manifest.frequency_seconds
  const earlier = new Date(Date.parse(`${time[0]}Z`) - 2 * seconds * 1000).toISOString().slice(0, 19)
  const longer = [window[3], window[4], ...window]
  const input = { ...series(0), series: longer, frequency: 'S', frequency_seconds: seconds, start_timestamp: earlier }
  const { json } = await ask(service, { ...call([input]), model: small.manifest.name })
  const [{ content }] = json.outputs as [TimeSeriesAnswer['outputs'][0]]
  t.ok(isGolden(small, forecast, namedRow(small, content[0]!.mean_forecast[0]!)))
})
