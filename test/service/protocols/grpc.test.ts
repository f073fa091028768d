import t, { type Test } from 'tap'
import { gru, lstm, type TestBundle } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { type GrpcCaller, GrpcCaller as Caller, startGrpc } from '../../support/grpc.js'
import { bytesOf, floatsOf, namedRow, rawRequest, rowsOf, typedRequest } from '../../support/infer.js'
import { grown, scrape } from '../../support/scrape.js'

const bundle = gru()
const windows = bundle.golden.windows.map(({ window }) => window)
const width = bundle.manifest.features.length
const service = await startGrpc(t, { env: { DEADLINE_MS: '20000' } })
const caller = new Caller(t, service.grpc)

interface Inferred {
  id: string
  model_name: string
  model_version: string
  outputs: { name: string; datatype: string; shape: number[]; contents: { fp32_contents: number[] } | null }[]
  raw_output_contents: Buffer[]
  parameters: Record<string, { string_param: string }>
}

const infer = (request: object) => caller.call<Inferred>('ModelInfer', request)

/** The rows of an answer, in whichever form they came. */
function rows({ outputs: [output], raw_output_contents: [raw] }: Inferred, columns = width): number[][] {
  return rowsOf(raw ? floatsOf(raw) : output!.contents!.fp32_contents, columns)
}

function allGolden(t: Test, of: TestBundle, answer: Inferred): void {
  const { golden, manifest } = of
  for (const [index, row] of rows(answer, manifest.features.length).entries()) {
    t.ok(isGolden(of, golden.windows[index]!.forecast, namedRow(of, row)), `window ${index}`)
  }
}

t.test('each golden window gets the trainer’s forecast, as bytes for bytes and as numbers for numbers', async t => {
  const raw = await infer(rawRequest(bundle, windows, { id: 'ü 1' }))
  const typed = await infer(typedRequest(bundle, windows))
  for (const { status, answer } of [raw, typed]) {
    t.equal(status, 'OK')
    t.match(answer, { model_name: bundle.manifest.name, model_version: bundle.manifest.version })
    t.match(answer.outputs, [{ name: 'forecast', datatype: 'FP32', shape: [windows.length, width] }])
    t.equal(rows(answer).length, windows.length)
    allGolden(t, bundle, answer)
  }
  t.equal(raw.answer.id, 'ü 1')
  t.equal(raw.answer.outputs[0]!.contents, null)
  t.equal(typed.answer.id, '')
  t.same(typed.answer.raw_output_contents, [])
})

t.test('one window, and several steps, get the trainer’s forecasts', async t => {
  const one = await infer(rawRequest(bundle, windows.slice(0, 1)))
  t.same(one.answer.outputs[0]!.shape, [1, width])
  allGolden(t, bundle, one.answer)
  const rollouts = bundle.golden.rollouts!
  const steps = 6
  const parameters = { inference_length: { int64_param: steps } }
  const asked = rollouts.map(({ index }) => windows[index]!)
  for (const request of [rawRequest, typedRequest]) {
    const { answer } = await infer(request(bundle, asked, { parameters }))
    t.same(answer.outputs[0]!.shape, [rollouts.length, steps, width])
    const found = rows(answer)
    for (const [index, { forecasts }] of rollouts.entries()) {
      for (let step = 0; step < steps; step++) {
        const row = namedRow(bundle, found[index * steps + step]!)
        t.ok(isGolden(bundle, forecasts[step]!, row), `window ${index}, step ${step + 1}`)
      }
    }
    t.match(answer.parameters.warnings!.string_param, /^far_ahead/)
  }
})

t.test('a model that takes the minutes of its rows gets them, in either order of the inputs', async t => {
  const other = lstm()
  const { manifest, golden } = other
  const otherService = await startGrpc(t, { env: { MODEL_DIR: other.folder } })
  const otherCaller = new Caller(t, otherService.grpc)
  const [first] = [
    typedRequest(
      other,
      golden.windows.map(({ window }) => window)
    )
  ]
  const minutes = golden.windows.flatMap(({ minute }) => minute!)
  const shape = [golden.windows.length, manifest.window]
  const minute = { name: 'minute', datatype: 'INT32', shape, contents: { int_contents: minutes } }
  for (const inputs of [
    [...first!.inputs, minute],
    [minute, ...first!.inputs]
  ]) {
    const { status, answer } = await otherCaller.call<Inferred>('ModelInfer', { ...first, inputs })
    t.equal(status, 'OK')
    allGolden(t, other, answer)
  }
  const bytes = Buffer.alloc(minutes.length * 4)
  for (const [index, value] of minutes.entries()) bytes.writeInt32LE(value, index * 4)
  const inputs = [{ ...minute, contents: null }, ...first!.inputs.map(input => ({ ...input, contents: null }))]
  const raw_input_contents = [bytes, bytesOf(golden.windows.map(({ window }) => window))]
  const { answer } = await otherCaller.call<Inferred>('ModelInfer', { ...first, inputs, raw_input_contents })
  allGolden(t, other, answer)
  t.match(await otherCaller.call('ModelInfer', first!), {
    status: 'INVALID_ARGUMENT',
    details: /minute INT32 \[n, \d+\]/
  })
})

t.test('the server and the model tell of themselves', async t => {
  const { name, version } = bundle.manifest
  const [input, output] = [
    { name: 'window', datatype: 'FP32', shape: [-1, 10, 11] },
    { name: 'forecast', datatype: 'FP32', shape: [-1, 11] }
  ]
  const told: [string, object, object][] = [
    ['ServerLive', {}, { live: true }],
    ['ServerReady', {}, { ready: true }],
    ['ModelReady', { name }, { ready: true }],
    ['ModelReady', { name, version }, { ready: true }],
    ['ServerMetadata', {}, { name: 'gru-inference', extensions: ['binary_tensor_data'] }],
    [
      'ModelMetadata',
      { name },
      { name, versions: [version], platform: 'onnxruntime_onnx', inputs: [input], outputs: [output] }
    ],
    [
      'ModelConfig',
      { name },
      {
        config: {
          name,
          backend: 'onnxruntime',
          max_batch_size: 256,
          input: [{ name: 'window', data_type: 'TYPE_FP32', dims: [10, 11] }],
          output: [{ name: 'forecast', dims: [11] }]
        }
      }
    ],
    ['RepositoryIndex', {}, { models: [{ name, version, state: 'READY' }] }],
    ['RepositoryIndex', { ready: true }, { models: [{ name, version, state: 'READY' }] }]
  ]
  for (const [method, request, answer] of told)
    t.match(await caller.call(method, request), { status: 'OK', answer }, method)
  for (const method of ['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics']) {
    t.match(
      await caller.call(method, { name: 'other' }),
      { status: 'NOT_FOUND', details: /gru-traffic serves/ },
      method
    )
    t.match(await caller.call(method, { name, version: '2' }), { status: 'NOT_FOUND', details: /version 1/ }, method)
  }
  for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload']) {
    t.match(await caller.call(method, { model_name: name }), {
      status: 'INVALID_ARGUMENT',
      details: /not supported: the registry/
    })
  }
})

t.test('statistics and metrics count what was asked', async t => {
  type Statistics = {
    model_stats: { inference_count: number; inference_stats: Record<string, { count: number; ns: number }> }[]
  }
  const statistics = async (name: string) =>
    (await caller.call<Statistics>('ModelStatistics', { name })).answer.model_stats[0]!
  const [before, scraped] = [await statistics(''), await scrape(service.url)]
  await infer(rawRequest(bundle, windows.slice(0, 3)))
  await infer(rawRequest(bundle, windows.slice(0, 1)))
  await infer({ model_name: 'other' })
  const [after, again] = [await statistics(bundle.manifest.name), await scrape(service.url)]
  t.equal(after.inference_count - before.inference_count, 4)
  t.equal(after.inference_stats.success!.count - before.inference_stats.success!.count, 2)
  t.ok(after.inference_stats.compute_infer!.ns > before.inference_stats.compute_infer!.ns)
  const counted = (status: number) => `gru_request_duration_seconds_count{route="grpc ModelInfer",status="${status}"}`
  t.equal(grown(counted(200), scraped, again), 2)
  t.equal(grown(counted(404), scraped, again), 1)
})

t.test('a call is named by its caller’s x-request-id where that is harmless, else by the service', async t => {
  const named = (id: string) => caller.call('ServerLive', {}, { metadata: { 'x-request-id': id } })
  t.equal((await named('abc-1')).trailers['x-request-id'], 'abc-1')
  t.match((await named('a b')).trailers['x-request-id'], /^\w+-\w+-\w+$/)
  const refused = await caller.call('ModelReady', { name: 'x' }, { metadata: { 'x-request-id': 'abc-2' } })
  t.match(refused, { status: 'NOT_FOUND', trailers: { 'x-request-id': 'abc-2' } })
})

t.test('health says what serves', async t => {
  const check = (service: string) => (caller as GrpcCaller).call('health.Check', { service })
  t.match(await check(''), { status: 'OK', answer: { status: 'SERVING' } })
  t.match(await check('inference.GRPCInferenceService'), { status: 'OK', answer: { status: 'SERVING' } })
  t.match(await check('other'), { status: 'NOT_FOUND', details: /inference\.GRPCInferenceService/ })
})
