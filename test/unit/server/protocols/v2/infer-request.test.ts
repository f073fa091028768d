import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t from 'tap'
import { ServiceError } from '../../../../../src/errors.js'
import { InferReader } from '../../../../../src/server/protocols/v2/infer-request.js'
import { gru, lstm, type TestBundle } from '../../../../support/bundles.js'
import { v2Binary, type V2Input, v2Inputs } from '../../../../support/v2.js'

const MAX_WINDOWS = 8
const reader = new InferReader({ maxSteps: 30, maxWindows: MAX_WINDOWS })
const bundles = [gru(), lstm()]

const readJson = (value: unknown, { manifest }: TestBundle) =>
  reader.read(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), undefined, manifest)

/** The bytes that the windows must have: written one by one, as the protocol says. */
function expectedBytes(inputs: readonly V2Input[], name: string): Buffer | undefined {
  const input = inputs.find(one => one.name === name)
  return input && v2Binary([input]).body.subarray(v2Binary([input]).jsonLength)
}

function hasBytes(
  tensor: { values: Uint8Array; minutes?: Uint8Array | undefined },
  inputs: readonly V2Input[]
): boolean {
  const minutes = expectedBytes(inputs, 'minute')
  const same = (bytes: Uint8Array | undefined, wanted: Buffer | undefined) =>
    wanted === undefined ? bytes === undefined : bytes !== undefined && wanted.equals(bytes)
  return same(tensor.values, expectedBytes(inputs, 'window')) && same(tensor.minutes, minutes)
}

const flat = (inputs: readonly V2Input[]) => inputs.map(input => ({ ...input, data: [input.data].flat(3) }))
const shuffled = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).reverse()) as T

t.test('windows have the same bytes by every way of writing them', t => {
  for (const bundle of bundles) {
    const inputs = v2Inputs(bundle, [0, 3, 5])
    const written: unknown[] = [
      { inputs },
      { inputs: flat(inputs) },
      { inputs: inputs.toReversed() },
      shuffled({ id: 'a', model_name: 'x', inputs: inputs.map(shuffled), outputs: [{ name: 'forecast' }] }),
      { inputs: inputs.map(input => ({ ...input, more: { data: [1] } })), unknown: [{ inputs: 1 }] }
    ]
    for (const [index, body] of written.entries()) {
      const { windows } = readJson(body, bundle)
      t.ok(hasBytes(windows.tensor, inputs), `${bundle.manifest.name}: way ${index}`)
      t.equal(windows.count, 3)
    }
    for (const order of [inputs, inputs.toReversed()]) {
      for (let pad = 0; pad < 8; pad++) {
        const { body, jsonLength } = v2Binary(order, {}, pad)
        const { windows } = reader.read(body, `${jsonLength}`, bundle.manifest)
        t.ok(hasBytes(windows.tensor, inputs), `${bundle.manifest.name}: bytes from ${jsonLength} on`)
      }
    }
  }
  t.end()
})

t.test('what is asked beside the windows', t => {
  const bundle = bundles[0]!
  const asked = (more: object) => {
    const { windows: _, ...rest } = readJson({ inputs: v2Inputs(bundle, [0]), ...more }, bundle)
    return rest
  }
  const nothing = { steps: 1, timeoutMs: undefined, isLater: false, id: undefined, isBinary: false }
  const output = { name: 'forecast' }
  t.same(asked({}), nothing)
  t.same(asked({ id: '' }), { ...nothing, id: '' }, 'an empty id is one')
  t.same(asked({ parameters: { inference_length: 30, timeout: 1500, priority: 2 } }), {
    ...nothing,
    steps: 30,
    timeoutMs: 1.5,
    isLater: true
  })
  t.same(asked({ parameters: { timeout: 0, priority: 1, sequence_id: 0 } }), nothing)
  t.same(asked({ parameters: { binary_data_output: true } }), { ...nothing, isBinary: true })
  const own = [{ ...output, parameters: { binary_data: false } }]
  t.same(asked({ parameters: { binary_data_output: true }, outputs: own }), nothing, 'the output’s own wish goes first')
  t.same(asked({ outputs: [{ ...output, parameters: { binary_data: true } }] }), { ...nothing, isBinary: true })
  t.end()
})

/** A request that must be refused: what of a good one is changed, and the code and the place that the error must have. */
type Refused = [what: string, body: unknown, code: string, path?: string]

const bundle = bundles[0]!
const [good] = v2Inputs(bundle, [0, 1]) as [V2Input]
const values = [good.data].flat(3) as number[]
const input = (change: object) => ({ inputs: [{ ...good, ...change }] })
const at = (index: number, value: unknown) => ({ inputs: [{ ...good, data: values.with(index, value as number) }] })

const REFUSED: Refused[] = [
  ['no object', [], 'wrong_type'],
  ['no inputs', {}, 'missing_field'],
  ['no input', { inputs: [] }, 'out_of_range', '/inputs'],
  ['inputs that are no list', { inputs: good }, 'wrong_type', '/inputs'],
  ['an input without a name', { inputs: [{ ...good, name: undefined }] }, 'missing_field', '/inputs/0'],
  ['another name', input({ name: 'input__0' }), 'unknown_field', '/inputs/0'],
  ['a name that is a number', input({ name: 1 }), 'wrong_type', '/inputs/0/name'],
  ['the same input twice', { inputs: [good, good] }, 'duplicate_key', '/inputs/1'],
  ['another datatype', input({ datatype: 'FP64' }), 'wrong_type', '/inputs/0'],
  ['a datatype in lower case', input({ datatype: 'fp32' }), 'wrong_type', '/inputs/0'],
  ['no batch axis', input({ shape: [10, 11] }), 'out_of_range', '/inputs/0'],
  ['no shape', input({ shape: [] }), 'out_of_range', '/inputs/0'],
  ['a batch of none', input({ shape: [0, 10, 11], data: [] }), 'out_of_range', '/inputs/0'],
  ['a negative batch', input({ shape: [-2, 10, 11] }), 'out_of_range', '/inputs/0'],
  ['two negative sizes whose product fits', input({ shape: [-2, -10, 11] }), 'out_of_range', '/inputs/0'],
  ['sizes whose product is beyond 2^31', input({ shape: [2_147_483_647, 10, 11] }), 'out_of_range', '/inputs/0'],
  ['sizes whose product is beyond 2^53', input({ shape: [2 ** 53, 10, 11] }), 'out_of_range', '/inputs/0'],
  ['a fraction in the shape', input({ shape: [1.5, 10, 11] }), 'wrong_type', '/inputs/0/shape/0'],
  ['a shape of texts', input({ shape: ['2', 10, 11] }), 'wrong_type', '/inputs/0/shape/0'],
  ['more windows than a call may have', input({ shape: [9, 10, 11] }), 'out_of_range', '/inputs/0'],
  ['a value too few', input({ data: values.slice(1) }), 'ragged_columns', '/inputs/0/data'],
  ['a value too many', input({ data: [...values, 1] }), 'ragged_columns', '/inputs/0/data'],
  ['a window too few', input({ data: (good.data as unknown[]).slice(1) }), 'ragged_columns', '/inputs/0/data'],
  [
    'a row too few',
    input({ data: (good.data as unknown[][]).map(rows => rows.slice(1)) }),
    'ragged_columns',
    '/inputs/0/data/0'
  ],
  [
    'lists and numbers mixed',
    input({ data: [[...(good.data as unknown[][])[0]!.slice(1), 5], []] }),
    'wrong_type',
    '/inputs/0/data/0/9'
  ],
  ['data that is no list', input({ data: 5 }), 'wrong_type', '/inputs/0/data'],
  ['no data', input({ data: undefined }), 'missing_field', '/inputs/0'],
  ['a text for a number', at(7, '1'), 'not_a_number', '/inputs/0/data/7'],
  ['null for a number', at(0, null), 'not_a_number', '/inputs/0/data/0'],
  ['a list among numbers', at(3, [1]), 'not_a_number', '/inputs/0/data/3'],
  ['a number beyond float32', at(9, 1e39), 'out_of_range', '/inputs/0/data/9'],
  ['data and a number of bytes', input({ parameters: { binary_data_size: 880 } }), 'bad_request', '/inputs/0'],
  [
    'bytes that are not there',
    input({ data: undefined, parameters: { binary_data_size: 880 } }),
    'out_of_range',
    '/inputs/0'
  ],
  [
    'a negative number of bytes',
    input({ data: undefined, parameters: { binary_data_size: -1 } }),
    'out_of_range',
    '/inputs/0/parameters/binary_data_size'
  ],
  ['shared memory', input({ parameters: { shared_memory_region: 'a' } }), 'bad_request', '/inputs/0'],
  ['an unknown output', { inputs: [good], outputs: [{ name: 'logits' }] }, 'unknown_field', '/outputs/0'],
  [
    'classes',
    { inputs: [good], outputs: [{ name: 'forecast', parameters: { classification: 3 } }] },
    'bad_request',
    '/outputs/0'
  ],
  ['no steps', { inputs: [good], parameters: { inference_length: 0 } }, 'out_of_range', '/parameters/inference_length'],
  [
    'too many steps',
    { inputs: [good], parameters: { inference_length: 31 } },
    'out_of_range',
    '/parameters/inference_length'
  ],
  [
    'steps as a text',
    { inputs: [good], parameters: { inference_length: '3' } },
    'wrong_type',
    '/parameters/inference_length'
  ],
  ['a negative timeout', { inputs: [good], parameters: { timeout: -1 } }, 'out_of_range', '/parameters/timeout'],
  ['a sequence', { inputs: [good], parameters: { sequence_id: 7 } }, 'bad_request', '/parameters/sequence_id'],
  ['an id that is a number', { inputs: [good], id: 5 }, 'wrong_type', '/id'],
  ['a key that stands twice', `{"inputs":[],"inputs":[${JSON.stringify(good)}]}`, 'duplicate_key', '/inputs'],
  [
    'a key that stands twice in an input',
    `{"inputs":[{"name":"x",${JSON.stringify(good).slice(1)}]}`,
    'duplicate_key',
    '/inputs/0/name'
  ],
  [
    'NaN as Python writes it',
    JSON.stringify({ inputs: [good] }).replace(/\[\[\[\d+/, '[[[NaN'),
    'malformed_json',
    '/inputs/0/data/0/0/0'
  ],
  ['half a body', JSON.stringify({ inputs: [good] }).slice(0, 500), 'malformed_json'],
  ['nothing', '', 'malformed_json']
]

t.test('a request that is wrong is refused by the element at fault', t => {
  for (const [what, body, code, path] of REFUSED) {
    t.throws(() => readJson(body, bundle), { code, ...(path && { path }) }, what)
  }
  t.end()
})

t.test('the minutes of a model that takes them are checked like the windows', t => {
  const bundle = bundles[1]!
  const [window, minute] = v2Inputs(bundle, [0, 1]) as [V2Input, V2Input]
  const refused = (inputs: unknown[], code: string, path?: string) =>
    t.throws(() => readJson({ inputs }, bundle), { code, ...(path && { path }) })
  refused([window], 'missing_field')
  refused([window, { ...minute, datatype: 'INT64' }], 'wrong_type', '/inputs/1')
  const half = { ...minute, shape: [1, bundle.manifest.window], data: (minute.data as unknown[]).slice(1) }
  refused([window, half], 'ragged_columns', '/inputs/1')
  const times = [minute.data].flat(2) as number[]
  for (const value of [1.5, 2 ** 31, -(2 ** 31) - 1]) {
    refused([window, { ...minute, data: times.with(1, value) }], 'out_of_range', '/inputs/1/data/1')
  }
  t.end()
})

t.test('the length of the JSON and the bytes behind it must fit each other', t => {
  const { manifest } = bundle
  const { body, jsonLength } = v2Binary([good])
  const refused = (what: string, header: string | undefined, bytes: Buffer, code: string) =>
    t.throws(() => reader.read(bytes, header, manifest), { code }, what)
  for (const header of ['', '0', '-1', '0x10', '1e3', '1.5', ' 5', `${body.length + 1}`, '9'.repeat(30)]) {
    refused(`a length of "${header}"`, header, body, 'bad_request')
  }
  refused('without the length', undefined, body, 'invalid_utf8')
  refused('a byte too short', `${jsonLength - 1}`, body, 'malformed_json')
  refused('a byte too long', `${jsonLength + 1}`, body, 'invalid_utf8')
  refused('a byte left over', `${jsonLength}`, Buffer.concat([body, Buffer.alloc(1)]), 'bad_request')
  refused('a byte missing', `${jsonLength}`, body.subarray(0, -1), 'out_of_range')
  const twice = { ...good, data: [good.data, good.data] }
  const doubles = v2Binary([twice])
  refused('bytes of float64', `${doubles.jsonLength}`, doubles.body, 'ragged_columns')
  refused(
    'bytes behind JSON that has all',
    `${JSON.stringify({ inputs: [good] }).length}`,
    Buffer.from(`${JSON.stringify({ inputs: [good] })}\0`),
    'bad_request'
  )
  t.end()
})

t.test('mutated requests are refused, or are read as what they say', t => {
  const source = xoroshiro128plus(20_261_128)
  const below = (most: number) => uniformInt(source, 0, most - 1)
  const pieces = ['"', '0', '-', '[', ']', '{', '}', ',', ':', 'null', '1e9', '"data"', ' ', 'é', '\\', 'shape']
  let taken = 0
  for (let round = 0; round < 4000; round++) {
    const of = bundles[below(2)]!
    let text = JSON.stringify({ id: 'x', inputs: flat(v2Inputs(of, [below(8)])) })
    for (let changes = 1 + below(2); changes > 0; changes--) {
      // Half of the changes hit what stands around the values.
      const place = below(2) === 0 ? below(text.length) : below(90)
      text = text.slice(0, place) + pieces[below(pieces.length)]! + text.slice(place + below(3))
    }
    try {
      const { windows } = readJson(text, of)
      taken++
      const { inputs } = JSON.parse(text) as { inputs: V2Input[] }
      if (!hasBytes(windows.tensor, inputs)) t.fail(`other values than written: ${text}`)
    } catch (error) {
      if (!(error instanceof ServiceError) || error.statusCode >= 500) t.fail(`${String(error)} for ${text}`)
    }
  }
  t.ok(taken > 100 && taken < 3900, `${taken} were taken`)
  t.end()
})
