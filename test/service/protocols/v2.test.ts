import t, { type Test } from 'tap'
import { bodyOf, gru, lstm, type TestBundle } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { grown, scrape } from '../../support/scrape.js'
import { rowsOf, type V2Answer, v2Binary, v2Inputs } from '../../support/v2.js'
import { ask, inferBinary, inferJson, MODEL, PATIENT, started } from '../../support/v2-service.js'

const bundle = gru()

const named = ({ manifest }: TestBundle, row: readonly number[]) =>
  Object.fromEntries(manifest.features.map(({ name }, feature) => [name, row[feature]!])) as Parameters<
    typeof isGolden
  >[2]

function golden(t: Test, bundle: TestBundle, windows: readonly number[], values: readonly number[]): void {
  const rows = rowsOf(values, bundle.manifest.features.length)
  t.equal(rows.length, windows.length)
  for (const [place, index] of windows.entries()) {
    const { forecast } = bundle.golden.windows[index]!
    t.ok(isGolden(bundle, forecast, named(bundle, rows[place]!)), `window ${index}`)
  }
}

t.test('golden windows get the trainer’s forecasts, in JSON and in bytes, with each bundle', async t => {
  for (const of of [bundle, lstm()]) {
    const service = await started(t, { env: { ...PATIENT, MODEL_DIR: of.folder } })
    const { name, version, features } = of.manifest
    const all = of.golden.windows.map((_, index) => index)
    const inputs = v2Inputs(of, all)
    const shape = [all.length, features.length]
    const output = { name: 'forecast', datatype: 'FP32', shape }
    for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${version}`]) {
      const { status, answer } = await inferJson(service, path, { inputs })
      t.equal(status, 200)
      t.match(answer, { model_name: name, model_version: version, outputs: [output] })
      golden(t, of, all, answer.outputs[0]!.data!)
    }
    const { status, json, values } = await inferBinary(
      service,
      `/v2/models/${name}`,
      v2Binary(inputs, { id: '', parameters: { binary_data_output: true } })
    )
    t.equal(status, 200)
    t.same(json, {
      model_name: name,
      model_version: version,
      id: '',
      outputs: [{ ...output, parameters: { binary_data_size: values.length * 4 } }]
    })
    golden(t, of, all, values)
  }
})

t.test('one window has the same bits by every way in', async t => {
  const service = await started(t)
  for (const index of [0, 5, 11]) {
    const inputs = v2Inputs(bundle, [index])
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(bodyOf(bundle, index))
    const { predictions } = (await ask(service, '/predict', { method: 'POST', body, headers })).json() as {
      predictions: [Record<string, number>]
    }
    const row = bundle.manifest.features.map(({ name }) => predictions[0][name])
    t.same((await inferJson(service, MODEL, { inputs })).answer.outputs[0]!.data, row, 'JSON')
    const asked = v2Binary(inputs, { parameters: { binary_data_output: true } })
    t.same((await inferBinary(service, MODEL, asked)).values, row, 'bytes')
  }
})

t.test('several steps are the trainer’s, and those that are far ahead are said to be', async t => {
  const service = await started(t, { env: PATIENT })
  for (const { index, forecasts } of bundle.golden.rollouts!) {
    const steps = forecasts.length
    const body = { inputs: v2Inputs(bundle, [index, index]), parameters: { inference_length: steps } }
    const { answer } = await inferJson(service, MODEL, body)
    const [{ shape, data }] = answer.outputs as [V2Answer['outputs'][0]]
    t.same(shape, [2, steps, 11])
    for (const [at, row] of rowsOf(data!, 11).entries()) {
      // Each step adds to the error of the one before it, as in the bundle's own check.
      t.ok(isGolden(bundle, forecasts[at % steps]!, named(bundle, row), 1e-3), `step ${(at % steps) + 1}`)
    }
    t.equal(/^far_ahead: /.test(answer.parameters?.warnings ?? ''), steps > 5)
  }
})

t.test('what the server and the model say of themselves', async t => {
  const service = await started(t)
  const get = async (path: string) => {
    const { status, json } = await ask(service, path)
    return { status, json: json() }
  }
  for (const path of ['/v2', '/v2/']) t.match(await get(path), { status: 200, json: { name: 'gru-inference' } })
  t.same(await get('/v2/health/live'), { status: 200, json: { live: true } })
  t.same(await get('/v2/health/ready'), { status: 200, json: { ready: true } })
  const metadata = {
    name: 'gru-traffic',
    versions: ['1'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'window', datatype: 'FP32', shape: [-1, 10, 11] }],
    outputs: [{ name: 'forecast', datatype: 'FP32', shape: [-1, 11] }]
  }
  for (const path of [MODEL, `${MODEL}/versions/1`]) {
    t.same(await get(path), { status: 200, json: metadata })
    t.same(await get(`${path}/ready`), { status: 200, json: { name: 'gru-traffic', ready: true } })
    const config = { max_batch_size: 256, input: [{ name: 'window', data_type: 'TYPE_FP32', dims: [10, 11] }] }
    t.match(await get(`${path}/config`), { status: 200, json: config })
  }
  for (const body of [null, '{"ready":true}']) {
    const { status, json } = await ask(service, '/v2/repository/index', { method: 'POST', body })
    t.same(
      { status, json: json() },
      { status: 200, json: [{ name: 'gru-traffic', version: '1', state: 'READY', reason: '' }] }
    )
  }
})

t.test('an error is one text that names the place, with a status as everywhere', async t => {
  const service = await started(t, { env: { BODY_LIMIT_BYTES: '4096', MAX_WINDOWS: '4' } })
  const good = { inputs: v2Inputs(bundle, [0, 1, 2]) }
  const error = async (path: string, init?: RequestInit) => {
    const { status, headers, json } = await ask(service, path, init)
    return { status, text: (json() as { error: string }).error, allow: headers.get('allow') }
  }
  const post = (body: unknown) => ({ method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  const infer = (body: unknown) => error(`${MODEL}/infer`, post(body))
  t.match(await error('/v2/models/other'), {
    status: 404,
    text: 'not_found: no such model: gru-traffic serves, at version 1'
  })
  t.match(await error('/v2/models/other/infer', post(good)), { status: 404, text: /gru-traffic serves/ })
  t.match(await error(`${MODEL}/versions/2/infer`, post(good)), { status: 404, text: /version 1 serves/ })
  t.match(await error('/v2/nothing'), { status: 404, text: /no route/ })
  t.match(await error(`${MODEL}/infer`), { status: 405, allow: 'POST' })
  for (const what of ['load', 'unload']) {
    t.match(await error(`/v2/repository/models/gru-traffic/${what}`, post({})), { status: 400, text: /not supported/ })
  }
  t.match(await infer('{'), { status: 400, text: /^malformed_json/ })
  t.match(await infer({ inputs: [] }), { status: 400, text: /^out_of_range at \/inputs: / })
  t.match(await infer(' '.repeat(20_000)), { status: 413, text: /^body_too_large: .*MAX_WINDOWS/ })
  const five = { inputs: v2Inputs(bundle, [0, 1, 2, 3, 4]) }
  t.match(await infer(five), { status: 400, text: /window has 5 windows: expected 1 to 4/ })
})

t.test('every bad window of a request is named, and none is run', async t => {
  const service = await started(t)
  const [input] = v2Inputs(bundle, [0, 1, 2, 3, 4, 5, 6, 7])
  const numbers = [input!.data].flat(3) as number[]
  for (const [place, index] of [1, 2, 3, 5, 6, 7].entries()) numbers[index * 110 + 12] = [NaN, -1, Infinity][place % 3]!
  const before = await scrape(service.url)
  const { status, json } = await inferBinary(service, MODEL, v2Binary([{ ...input!, data: numbers }]))
  t.equal(status, 400)
  t.match(json.error, /window 1, row 1, up: .*float32; window 2, row 1, up: expected a value of at least 0/)
  t.match(json.error, /also bad are the windows 6, 7$/)
  t.equal(grown('gru_rows_executed_total', before, await scrape(service.url)), 0)
  const { answer } = await inferJson(service, MODEL, { inputs: v2Inputs(bundle, [0]) })
  golden(t, bundle, [0], answer.outputs[0]!.data!)
})
