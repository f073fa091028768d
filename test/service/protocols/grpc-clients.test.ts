import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { descriptorOf } from '../../../src/server/protocols/grpc/descriptor.js'
import { readProto } from '../../../src/server/protocols/grpc/read-proto.js'
import { gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { startGrpc } from '../../support/grpc.js'
import { bytesOf, floatsOf, namedRow, rowsOf, typedRequest } from '../../support/infer.js'
import { grown, scrape } from '../../support/scrape.js'
import { installedFolder } from '../../support/servers/installed.js'

const run = promisify(execFile)
const bundle = gru()
const { manifest, golden } = bundle
const windows = golden.windows.map(({ window }) => window)
const given = { model: manifest.name, version: manifest.version, windows }
const python = '.services/clients-v2/bin/python'
const bin = `${installedFolder('grpcurl')}/bin`
const service = await startGrpc(t, { env: { DEADLINE_MS: '20000' } })

/** Runs a program with `input` as JSON, and returns what it prints. */
async function told(command: string, args: string[], input: unknown): Promise<string> {
  const running = run(command, args, { maxBuffer: 1e8 })
  running.child.stdin!.end(JSON.stringify(input))
  return (await running).stdout
}

function golden64(t: Test, rows: readonly number[][], name: string): void {
  for (const [index, row] of rows.entries()) {
    const isRight = isGolden(bundle, golden.windows[index]!.forecast, namedRow(bundle, row))
    if (!isRight) t.fail(`${name}: window ${index}`)
  }
  t.pass(`${name}: ${rows.length} windows`)
}

/** The first rows of [windows, steps, features] are the trainer's own forecasts of the next row. */
function firstSteps(t: Test, forecasts: readonly number[][][], name: string): void {
  t.ok(forecasts.every(({ length }) => length === 5))
  golden64(
    t,
    forecasts.map(([first]) => first!),
    name
  )
}

interface Refused {
  status: string
  message: string
}

t.test('inference.proto is what Triton’s own client was built with, field by field', async t => {
  const { definitions } = readProto('inference', 'inference.GRPCInferenceService')
  const { bytes } = descriptorOf(Object.values(definitions)[0]!)
  const text = await told(python, ['test/fixtures/clients-v2/compare_proto.py'], Buffer.from(bytes).toString('base64'))
  const { packages, compared, differences } = JSON.parse(text) as Record<string, string[]>
  t.same(differences, {})
  t.same(packages, ['inference', 'inference'])
  for (const name of [
    'ModelInferRequest.raw_input_contents',
    'GRPCInferenceService.ModelInfer',
    'ModelConfig.backend'
  ]) {
    t.ok(compared!.includes(name), name)
  }
})

t.test('Triton’s client, unchanged: forecasts, metadata, statistics, errors', async t => {
  const text = await told(python, ['test/fixtures/clients-v2/tritonclient_grpc.py', service.grpc], given)
  type Told = Record<'one' | 'all' | 'gzip' | 'outputs', number[][]> & {
    steps: number[][][]
    errors: Record<string, Refused>
  }
  const { one, all, gzip, outputs, steps, errors, ...rest } = JSON.parse(text) as Told
  t.same([one.length, all.length, gzip.length, outputs.length], [1, windows.length, windows.length, 2])
  for (const [name, rows] of Object.entries({ one, all, gzip, outputs })) golden64(t, rows, name)
  firstSteps(t, steps, 'several steps')
  t.match(rest, {
    live: true,
    ready: true,
    model_ready: [true, true],
    server: { name: 'gru-inference' },
    metadata: { name: manifest.name, inputs: [{ name: 'window', datatype: 'FP32', shape: ['-1', '10', '11'] }] },
    config: { config: { max_batch_size: 256, input: [{ dims: ['10', '11'], data_type: 'TYPE_FP32' }] } },
    index: { models: [{ name: manifest.name, state: 'READY' }] },
    id: 'a-1 ü',
    async: 8,
    statistics: { model_stats: [{ name: manifest.name, inference_stats: { success: { count: /^\d+$/ } } }] }
  })
  const status = (name: string) => ({ status: `StatusCode.${name}` })
  t.match(errors, {
    model: { ...status('NOT_FOUND'), message: /gru-traffic serves, at version 1/ },
    version: { ...status('NOT_FOUND'), message: /version 1 serves/ },
    input: { ...status('INVALID_ARGUMENT'), message: /no input windows/ },
    datatype: { ...status('INVALID_ARGUMENT'), message: /FP64: expected FP32/ },
    shape: { ...status('INVALID_ARGUMENT'), message: /\[64, 9, 11\]: expected \[n, 10, 11\]/ },
    values: { ...status('INVALID_ARGUMENT'), message: /window 0, row 2, up: .*; window 2, row 0, down: / },
    output: { ...status('INVALID_ARGUMENT'), message: /forecast and no other output/ },
    steps: { ...status('INVALID_ARGUMENT'), message: /from 1 to 30/ },
    timeout: { message: /^(deadline_exceeded|queue_full): / },
    load: { ...status('INVALID_ARGUMENT'), message: /load is not supported/ },
    unload: { ...status('INVALID_ARGUMENT'), message: /unload is not supported/ }
  })
})

t.test('KServe’s client, unchanged: numbers and bytes, several steps, errors', async t => {
  const text = await told(python, ['test/fixtures/clients-v2/kserve_grpc.py', service.grpc], given)
  type Answer<Rows> = { id: string; model: string; forecast: Rows }
  type Told = Record<'typed' | 'raw', Answer<number[][]>> & { steps: Answer<number[][][]> } & Record<string, unknown>
  const { typed, raw, steps, ...rest } = JSON.parse(text) as Told
  for (const [name, { id, model, forecast }] of Object.entries({ typed, raw })) {
    t.same([id, model, forecast.length], ['k-1', manifest.name, windows.length])
    golden64(t, forecast, name)
  }
  firstSteps(t, steps.forecast, 'several steps')
  t.match(rest, {
    live: true,
    ready: true,
    model_ready: true,
    errors: {
      model: { status: 'NOT_FOUND' },
      shape: { status: 'INVALID_ARGUMENT', message: /expected \[n, 10, 11\]/ },
      values: { status: 'INVALID_ARGUMENT', message: /window 0, row 0, down/ }
    }
  })
})

const INFER = 'inference.GRPCInferenceService/ModelInfer'

t.test('grpcurl, with no .proto file: what there is, health, forecasts, errors', async t => {
  const grpcurl = (args: string[], input: unknown = {}) => told(`${bin}/grpcurl`, ['-plaintext', ...args], input)
  const services = (await grpcurl([service.grpc, 'list'])).trim().split('\n')
  const own = ['grpc.health.v1.Health', 'inference.GRPCInferenceService']
  t.same(
    services.filter(name => !name.startsWith('grpc.reflection.')),
    own
  )
  t.match(
    await grpcurl([service.grpc, 'describe', 'inference.ModelInferRequest']),
    /map<string, \.inference\.InferParameter> parameters = 4;/
  )
  t.match(JSON.parse(await grpcurl([service.grpc, 'grpc.health.v1.Health/Check'])), { status: 'SERVING' })
  const parameters = { inference_length: { int64_param: 2 } }
  const request = typedRequest(bundle, windows, { id: 'g', parameters })
  type Told = { id: string; outputs: { shape: string[]; contents: { fp32Contents: number[] } }[] }
  const { id, outputs } = JSON.parse(await grpcurl(['-d', '@', service.grpc, INFER], request)) as Told
  t.same([id, outputs[0]!.shape], ['g', [`${windows.length}`, '2', '11']])
  const rows = rowsOf(outputs[0]!.contents.fp32Contents, 11)
  golden64(
    t,
    rows.filter((_, index) => index % 2 === 0),
    'typed'
  )
  const raw = { ...typedRequest(bundle, windows), raw_input_contents: [bytesOf(windows).toString('base64')] }
  const bytes = { ...raw, inputs: raw.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })) }
  const answer = JSON.parse(await grpcurl(['-d', '@', service.grpc, INFER], bytes)) as { rawOutputContents: string[] }
  golden64(t, rowsOf(floatsOf(Buffer.from(answer.rawOutputContents[0]!, 'base64')), 11), 'raw')
  const refused = grpcurl(['-d', '@', service.grpc, INFER], { ...request, model_name: 'other' })
  await t.rejects(refused, { code: 69, stderr: /Code: NotFound[^]*gru-traffic serves/ })
  await t.rejects(grpcurl([service.grpc, 'inference.GRPCInferenceService/TraceSetting']), {
    code: 1,
    stderr: /does not include a method/
  })
})

t.test('ghz: every call of many at once is answered', async t => {
  const CALLS = 600
  const before = await scrape(service.url)
  const folder = t.testdir({ 'call.json': JSON.stringify(typedRequest(bundle, windows.slice(0, 1))) })
  const what = `--insecure --call inference.GRPCInferenceService.ModelInfer -D ${folder}/call.json -O json`
  const load = `-n ${CALLS} -c 50 --connections 4 --timeout 60s ${service.grpc}`
  const { stdout: text } = await run(`${bin}/ghz`, `${what} ${load}`.split(' '), { maxBuffer: 1e8 })
  t.match(JSON.parse(text), { count: CALLS, statusCodeDistribution: { OK: CALLS } })
  const counted = 'gru_request_duration_seconds_count{route="grpc ModelInfer",status="200"}'
  t.equal(grown(counted, before, await scrape(service.url)), CALLS)
})

for (const [protocol, address] of [
  ['grpc', service.grpc],
  ['http', new URL(service.url).host]
] as const) {
  t.test(`perf_analyzer over ${protocol}: a sweep of concurrency, and no call fails`, async t => {
    const before = await scrape(service.url)
    // It takes no whole numbers for floats.
    const floats = (window: number[][]) => window.flat().map(value => value.toExponential())
    const data = windows.map(window => `{"window":{"content":[${floats(window)}],"shape":[10,11]}}`)
    const folder = t.testdir({ 'windows.json': `{"data":[${data}]}` })
    const what = `-m ${manifest.name} -u ${address} -i ${protocol} -b 4 --input-data ${folder}/windows.json`
    const measure = '--concurrency-range 1:2 --measurement-mode count_windows --measurement-request-count 50'
    const bounds = '--stability-percentage 999 --max-trials 3'
    const { stdout } = await run(`${bin}/perf_analyzer`, `${what} ${measure} ${bounds}`.split(' '))
    t.match(stdout, /Concurrency: 1, throughput: [\d.]+ infer\/sec/)
    t.match(stdout, /Concurrency: 2, throughput: [\d.]+ infer\/sec/)
    t.notMatch(stdout, /Failed/i)
    const after = await scrape(service.url)
    const failed = [...after.keys()].filter(
      series => /route="(grpc ModelInfer|\/v2\/.*infer)",status="[45]/.test(series) && grown(series, before, after) > 0
    )
    t.same(failed, [])
  })
}
