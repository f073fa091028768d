import t from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { gru } from '../../support/bundles.js'
import { GrpcCaller, startGrpc } from '../../support/grpc.js'
import { bytesOf, rawRequest, typedRequest } from '../../support/infer.js'

const bundle = gru()
const windows = bundle.golden.windows.map(({ window }) => window)
const service = await startGrpc(t)
const caller = new GrpcCaller(t, service.grpc)

t.test('a call that is at fault is told the element at fault, in gRPC’s form', async t => {
  const two = windows.slice(0, 2)
  const good = rawRequest(bundle, two)
  const [input] = good.inputs
  const bad = windows.slice(0, 3).map(window => window.map(row => [...row]))
  bad[0]![2]![1] = NaN
  bad[2]![9]![0] = -1
  const typed = typedRequest(bundle, two)
  const refused: [string, object, string, RegExp][] = [
    ['another model', { model_name: 'other' }, 'NOT_FOUND', /^not_found: .*gru-traffic serves, at version 1/],
    ['another version', { model_version: '99' }, 'NOT_FOUND', /^not_found: .*version 1 serves/],
    ['both forms', { inputs: typed.inputs }, 'INVALID_ARGUMENT', /at \/inputs\/0\/contents: .*left out/],
    ['no data', { raw_input_contents: [] }, 'INVALID_ARGUMENT', /at \/inputs\/0: window has no contents/],
    ['too much data', { raw_input_contents: [bytesOf(two), bytesOf(two)] }, 'INVALID_ARGUMENT', /1 inputs, got 2/],
    [
      'too few bytes',
      { raw_input_contents: [bytesOf(two).subarray(1)] },
      'INVALID_ARGUMENT',
      /879 bytes: expected 880/
    ],
    ['no inputs', { inputs: [], raw_input_contents: [] }, 'INVALID_ARGUMENT', /window is missing/],
    ['another name', { inputs: [{ ...input, name: 'x' }] }, 'INVALID_ARGUMENT', /at \/inputs\/0: .*no input x/],
    ['another datatype', { inputs: [{ ...input, datatype: 'FP64' }] }, 'INVALID_ARGUMENT', /^wrong_type .*FP64.*FP32/],
    ['another shape', { inputs: [{ ...input, shape: [2, 11, 10] }] }, 'INVALID_ARGUMENT', /\[n, 10, 11\]/],
    ['a negative size', { inputs: [{ ...input, shape: [-2, 10, 11] }] }, 'INVALID_ARGUMENT', /-2 windows/],
    [
      'a size beyond 2^53',
      { inputs: [{ ...input, shape: ['9223372036854775807', 10, 11] }] },
      'INVALID_ARGUMENT',
      /1 to 256/
    ],
    [
      'no windows',
      { inputs: [{ ...input, shape: [0, 10, 11] }], raw_input_contents: [Buffer.alloc(0)] },
      'INVALID_ARGUMENT',
      /0 windows/
    ],
    [
      'too many windows',
      rawRequest(
        bundle,
        Array.from({ length: 257 }, () => two[0]!)
      ),
      'INVALID_ARGUMENT',
      /257 windows: expected 1 to 256/
    ],
    ['bad values', rawRequest(bundle, bad), 'INVALID_ARGUMENT', /window 0, row 2, up: .*window 2, row 9, down: /],
    ['another output', { outputs: [{ name: 'x' }] }, 'INVALID_ARGUMENT', /at \/outputs\/0: the model gives forecast/],
    [
      'too many steps',
      { parameters: { inference_length: { int64_param: 31 } } },
      'INVALID_ARGUMENT',
      /at \/parameters\/inference_length: .*1 to 30/
    ],
    ['steps as text', { parameters: { inference_length: { string_param: '3' } } }, 'INVALID_ARGUMENT', /int64_param/],
    [
      'a negative timeout',
      { parameters: { timeout: { int64_param: -1 } } },
      'INVALID_ARGUMENT',
      /at \/parameters\/timeout/
    ],
    [
      'a sequence',
      { parameters: { sequence_id: { int64_param: 1 } } },
      'INVALID_ARGUMENT',
      /sequences are not supported/
    ],
    [
      'shared memory',
      { inputs: [{ ...input, parameters: { shared_memory_region: { string_param: 'r' } } }] },
      'INVALID_ARGUMENT',
      /shared memory/
    ],
    [
      'the list of another datatype',
      { ...typed, raw_input_contents: [], inputs: [{ ...input, contents: { fp64_contents: two.flat(2) } }] },
      'INVALID_ARGUMENT',
      /fp64_contents: expected fp32_contents/
    ],
    [
      'too few values',
      { ...typed, raw_input_contents: [], inputs: [{ ...input, contents: { fp32_contents: [1] } }] },
      'INVALID_ARGUMENT',
      /1 values: expected 220/
    ]
  ]
  for (const [name, change, status, details] of refused) {
    const ended = await caller.call('ModelInfer', { ...good, ...change })
    t.match(ended, { status, details }, name)
    t.equal(ended.trailers['error-code'], /^\w+/.exec(ended.details)![0], `${name}: its code`)
  }
  t.equal((await caller.call('ModelInfer', good)).status, 'OK', 'the next call is answered')
})

t.test('where callers need a key, a call without one does no work', async t => {
  const API_KEYS_FILE = `${t.testdir({ keys: keyLine('north', 'key-of-north') })}/keys`
  const service = await startGrpc(t, { env: { API_KEYS_FILE, LOG_REQUESTS: 'true' } })
  const caller = new GrpcCaller(t, service.grpc)
  const statusOf = async (method: string, metadata = {}) => (await caller.call(method, {}, { metadata })).status
  for (const method of ['ServerLive', 'ServerReady', 'health.Check']) t.equal(await statusOf(method), 'OK', method)
  for (const method of ['ServerMetadata', 'ModelMetadata', 'ModelInfer', 'ModelStatistics', 'RepositoryIndex']) {
    t.equal(await statusOf(method), 'UNAUTHENTICATED', method)
    t.equal(await statusOf(method, { 'x-api-key': 'another' }), 'UNAUTHENTICATED', `${method} with another key`)
  }
  t.equal(await statusOf('ServerMetadata', { 'x-api-key': 'key-of-north' }), 'OK')
  t.equal(await statusOf('ServerMetadata', { authorization: 'Bearer key-of-north' }), 'OK')
  t.match(JSON.parse(await service.line('"caller":"north"')), { route: 'grpc ServerMetadata', status: 200 })
})
