import t from 'tap'
import { type CallPlan, makeCalls } from '../../../../src/bench/load/calls/calls.js'
import { PROTOCOLS } from '../../../../src/bench/load/calls/protocol.js'
import type { Expectation } from '../../../../src/bench/load/expected.js'

const plan = (traits: Partial<CallPlan>): CallPlan => ({
  protocol: 'batch',
  windows: 2,
  features: ['up', 'down'],
  rows: 2,
  ...traits
})
/** A table of two features, which begin at `first` in their first row. */
const table = (first: number, more: object = {}): string =>
  JSON.stringify({ data: { ts: ['a', 'b'], down: [first, first + 1], up: [first + 10, first + 11] }, ...more })
const expected = (up: number, down: number, version = '7'): Expectation => ({
  version,
  rows: [{ down: [down, 0.5], up: [up, 0.5] }]
})
const answer = (body: Buffer | string, headers: string[] = []) => ({ headers, body: Buffer.from(body) })
const requests = (count: number, windows: number): string[] => {
  const bodies = Array.from({ length: count }, (_, index) => String(index))
  return makeCalls(
    bodies,
    bodies.map(() => null),
    plan({ windows })
  ).map(({ request }) => String(request.body))
}

t.test('calls have neighbouring windows, go on at the first behind the last, and leave no window out', t => {
  t.same(requests(3, 1), ['[0]', '[1]', '[2]'])
  t.same(requests(2, 5), ['[0,1,0,1,0]', '[1,0,1,0,1]'])
  t.same(requests(64, 4).slice(0, 2), ['[0,1,2,3]', '[4,5,6,7]'])
  for (const [count, windows] of [
    [64, 1],
    [64, 16],
    [64, 256],
    [100, 3],
    [1000, 7]
  ] as const) {
    const sent = requests(count, windows).map(text => JSON.parse(text) as number[])
    t.ok(sent.every(({ length }) => length === windows))
    t.equal(new Set(sent.flat()).size, count, `${count} windows, ${windows} a call`)
  }
  t.end()
})

t.test('a call is compared where each of its windows has an expected forecast', t => {
  const bodies = [table(0), table(1), table(2)]
  const calls = makeCalls(bodies, [expected(1, 2), null, expected(3, 4)], plan({}))
  t.same(
    calls.map(call => call.expected),
    [null, null, [expected(3, 4), expected(1, 2)]]
  )
  t.end()
})

t.test('an answer of a batch has the codes of its bad windows, and is right when all of its forecasts are', t => {
  const { failures, isExpected } = PROTOCOLS.batch
  const forecast = (up: number, down: number) => ({ model_version: '7', predictions: [{ ts: 'x', up, down }] })
  const bad = { error: { code: 'out_of_range', message: '', path: '/1' } }
  const text = (...outcomes: unknown[]) => answer(JSON.stringify(outcomes))
  t.same(failures!(text(forecast(1, 2), forecast(3, 4))), [])
  t.same(failures!(text(bad, forecast(3, 4), { error: {} })), ['out_of_range', 'error'])
  t.same(failures!(answer('[{"error":')), [], 'what cannot be read is for the comparison')

  const want = [expected(1, 2), expected(3, 4)]
  const isRight = (body: ReturnType<typeof answer>) => isExpected(body, want, plan({}))
  t.ok(isRight(text(forecast(1.5, 2), forecast(3, 3.5))))
  const wrong = {
    'the last is too far off': text(forecast(1, 2), forecast(3, 4.6)),
    'in another order': text(forecast(3, 4), forecast(1, 2)),
    'one too few': text(forecast(1, 2)),
    'one too many': text(forecast(1, 2), forecast(3, 4), forecast(3, 4)),
    'another version': text(forecast(1, 2), { ...forecast(3, 4), model_version: '8' }),
    'an error': text(forecast(1, 2), bad),
    'no array': answer('{"model_version":"7"}'),
    'no JSON': answer('[')
  }
  for (const [what, body] of Object.entries(wrong)) t.notOk(isRight(body), what)
  t.end()
})

// IEEE 754: 1 is 3f800000, 2 is 40000000, 10 is 41200000, 11 is 41300000, 12 is 41400000, 0 is 00000000.
const FLOATS = '00002041 00000000 00003041 0000803f 00003041 0000803f 00004041 00000040'.replaceAll(' ', '')

t.test('a V2 call has the last rows of its windows in the order of the features, as numbers or as bytes', t => {
  const long = JSON.stringify({ data: { down: [9, 1, 2], up: [9, 11, 12], ts: [] } })
  const bodies = [table(0), long]
  const json = PROTOCOLS['v2-json']
  t.same(JSON.parse(String(json.encode(bodies, plan({})).body)), {
    inputs: [{ name: 'window', datatype: 'FP32', shape: [2, 2, 2], data: [10, 0, 11, 1, 11, 1, 12, 2] }]
  })
  const { body, headers } = PROTOCOLS['v2-binary'].encode(bodies, plan({}))
  const length = Number(headers!['Inference-Header-Content-Length'])
  t.equal(headers!['content-type'], 'application/octet-stream')
  t.equal((body as Buffer).subarray(length).toString('hex'), FLOATS)
  t.same(JSON.parse((body as Buffer).subarray(0, length).toString()), {
    inputs: [{ name: 'window', datatype: 'FP32', shape: [2, 2, 2], parameters: { binary_data_size: 32 } }],
    outputs: [{ name: 'forecast', parameters: { binary_data: true } }]
  })
  t.equal(json.path('a/b c'), '/v2/models/a%2Fb%20c/infer')
  t.end()
})

t.test('a V2 call asks for several steps once for all windows, and refuses bodies that no tensor can hold', t => {
  const { encode } = PROTOCOLS['v2-json']
  const three = { inference_length: 3 }
  t.match(JSON.parse(String(encode([table(0, three), table(1, three)], plan({})).body)), { parameters: three })
  const refused = (bodies: string[], message: RegExp) =>
    t.throws(() => encode(bodies, plan({})), { code: 'bad_flag', message })
  refused([table(0, three), table(1)], /the same number of steps/)
  refused([table(0), '{"data":{"up":[1],"down":[1,2]}}'], /needs 2 rows of each feature: up, down/)
  refused([table(0), '{}'], /needs 2 rows/)
  t.end()
})

const output = (traits: object = {}) => ({ name: 'forecast', datatype: 'FP32', shape: [2, 2], ...traits })
const head = (out: object, traits: object = {}) =>
  JSON.stringify({ model_name: 'm', model_version: '7', outputs: [out], ...traits })
const WANT = [expected(10, 0), expected(11, 1)]

t.test('a V2 answer in JSON is right when its whole tensor is', t => {
  const isRight = (text: string) => PROTOCOLS['v2-json'].isExpected(answer(text), WANT, plan({}))
  t.ok(isRight(head(output({ data: [10, 0.5, 11, 1] }))))
  t.ok(
    isRight(
      head(
        output({
          data: [
            [10, 0],
            [11, 1]
          ]
        })
      )
    ),
    'nested'
  )
  const wrong = {
    'the last value': head(output({ data: [10, 0, 11, 1.6] })),
    'features in another order': head(output({ data: [0, 10, 1, 11] })),
    'a value too few': head(output({ data: [10, 0, 11] })),
    'a value too many': head(output({ data: [10, 0, 11, 1, 1] })),
    'another shape': head(output({ shape: [1, 4], data: [10, 0, 11, 1] })),
    'another type': head(output({ datatype: 'FP64', data: [10, 0, 11, 1] })),
    'another name': head(output({ name: 'other', data: [10, 0, 11, 1] })),
    'no data': head(output()),
    'another version': head(output({ data: [10, 0, 11, 1] }), { model_version: '8' }),
    'an error': '{"error":"no"}',
    'no JSON': '{'
  }
  for (const [what, text] of Object.entries(wrong)) t.notOk(isRight(text), what)
  const steps = [{ rows: [expected(10, 0).rows[0]!, expected(11, 1).rows[0]!] }]
  const ofSteps = head(output({ shape: [1, 2, 2], data: [10, 0, 11, 1] }))
  t.ok(PROTOCOLS['v2-json'].isExpected(answer(ofSteps), steps, plan({ windows: 1 })), 'two steps')
  t.end()
})

t.test('a V2 answer with bytes is right when the bytes behind its JSON are the whole tensor', t => {
  const json = head(output({ parameters: { binary_data_size: 16 } }))
  const bytes = Buffer.from(FLOATS.slice(0, 32), 'hex')
  const headers = ['Content-Type', 'application/octet-stream', 'inference-header-content-length', String(json.length)]
  const isRight = (body: Buffer, of = headers) => PROTOCOLS['v2-binary'].isExpected(answer(body, of), WANT, plan({}))
  const whole = Buffer.concat([Buffer.from(json), bytes])
  t.ok(isRight(whole))
  t.notOk(isRight(whole.subarray(0, -1)), 'a byte too few')
  t.notOk(isRight(Buffer.concat([whole, bytes])), 'more values')
  t.notOk(isRight(Buffer.concat([whole, Buffer.alloc(1)])), 'a byte more')
  t.notOk(isRight(Buffer.concat([Buffer.from(json), bytes.toReversed()])), 'other values')
  t.notOk(isRight(whole, []), 'no length of the JSON')
  t.notOk(isRight(whole, [...headers.slice(0, 3), '5']), 'another length of the JSON')
  t.end()
})
