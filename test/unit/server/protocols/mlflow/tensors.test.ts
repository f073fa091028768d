import t from 'tap'
import type { Manifest } from '../../../../../src/model/bundle/manifest.js'
import { inputWindows, instanceWindows } from '../../../../../src/server/protocols/mlflow/tensors.js'

const feature = (name: string) => ({ name, unit: '-', minimum: 0 })
const tensor = (name: string) => ({ name, type: 'float32', shape: ['batch'] })
/** Of a model with windows of three rows and two features. */
const manifest = (...inputs: string[]) =>
  ({ features: ['a', 'b'].map(feature), window: 3, inputs: inputs.map(tensor) }) as unknown as Manifest
const plain = { manifest: manifest('window'), most: 3 }
const timed = { manifest: manifest('window', 'minute'), most: 3 }

const WINDOWS = [0, 6].map(first => [0, 2, 4].map(row => [first + row, first + row + 1]))
const MINUTES = [
  [10, 12, 14],
  [20, 22, 24]
]
const floats = ({ buffer, byteOffset, byteLength }: Uint8Array) => [
  ...new Float32Array(buffer, byteOffset, byteLength / 4)
]
const ints = ({ buffer, byteOffset, byteLength }: Uint8Array) => [...new Int32Array(buffer, byteOffset, byteLength / 4)]

t.test('every form of the same windows is the same tensor, row by row', t => {
  const forms = [
    inputWindows(WINDOWS, plain),
    inputWindows({ window: WINDOWS }, plain),
    instanceWindows(WINDOWS, plain),
    instanceWindows(
      WINDOWS.map(window => ({ window })),
      plain
    ),
    inputWindows({ window: WINDOWS, minute: MINUTES }, timed),
    instanceWindows(
      WINDOWS.map((window, at) => ({ window, minute: MINUTES[at] })),
      timed
    )
  ]
  for (const [at, { count, tensor }] of forms.entries()) {
    t.equal(count, 2)
    t.strictSame(floats(tensor.values), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    if (at >= 4) t.strictSame(ints(tensor.minutes!), [10, 12, 14, 20, 22, 24])
    else t.equal(tensor.minutes, undefined)
  }
  t.strictSame(
    forms.map(({ at }) => at(1)),
    [
      ['inputs', 1],
      ['inputs', 'window', 1],
      ['instances', 1],
      ['instances', 1, 'window'],
      ['inputs', 'window', 1],
      ['instances', 1, 'window']
    ]
  )
  t.end()
})

t.test('numbers are those of float32; what is beyond is left to the check of the model', t => {
  const { tensor } = inputWindows(
    [
      [
        [0.1, 1e300],
        [-0, 1e-50],
        [16_777_217, -1e300]
      ]
    ],
    plain
  )
  t.strictSame(floats(tensor.values), [Math.fround(0.1), Infinity, -0, 0, 16_777_216, -Infinity])
  t.end()
})

t.test('what is no window is refused, with its place', t => {
  const refused = (make: () => unknown, code: string, path: string) => t.throws(make, { code, path }, path)
  const [first] = WINDOWS
  refused(() => inputWindows(5, plain), 'wrong_type', '/inputs')
  refused(() => inputWindows([], plain), 'out_of_range', '/inputs')
  refused(() => inputWindows(new Array(4).fill(first), plain), 'out_of_range', '/inputs')
  refused(() => inputWindows({}, plain), 'wrong_type', '/inputs/window')
  refused(() => inputWindows({ window: WINDOWS, more: 1 }, plain), 'unknown_field', '/inputs/more')
  refused(() => inputWindows([first, 5], plain), 'wrong_type', '/inputs/1')
  refused(() => inputWindows([first!.slice(1)], plain), 'ragged_columns', '/inputs/0')
  refused(() => inputWindows([first!.with(1, [1])], plain), 'ragged_columns', '/inputs/0/1')
  refused(() => inputWindows([first!.with(1, [1, '2' as never])], plain), 'not_a_number', '/inputs/0/1/1')
  refused(() => inputWindows([first!.with(1, [1, null as never])], plain), 'not_a_number', '/inputs/0/1/1')
  refused(() => inputWindows([first!.with(1, [1, true as never])], plain), 'not_a_number', '/inputs/0/1/1')
  refused(() => inputWindows({ window: [first], minute: [[]] }, plain), 'unknown_field', '/inputs/minute/0')
  refused(() => inputWindows([first], timed), 'missing_field', '/inputs/0')
  refused(() => inputWindows({ window: WINDOWS, minute: [[1, 2, 3]] }, timed), 'ragged_columns', '/inputs/minute')
  refused(() => inputWindows({ window: [first], minute: [[1, 2]] }, timed), 'ragged_columns', '/inputs/minute/0')
  for (const minute of [1.5, -1, '1', null, 68_374_080]) {
    refused(
      () => inputWindows({ window: [first], minute: [[1, 2, minute]] }, timed),
      'bad_timestamp',
      '/inputs/minute/0/2'
    )
  }
  refused(() => instanceWindows({}, plain), 'wrong_type', '/instances')
  refused(() => instanceWindows([first, 5], plain), 'wrong_type', '/instances/1')
  refused(() => instanceWindows([{ window: first, a: 1 }], plain), 'unknown_field', '/instances/0/a')
  refused(() => instanceWindows([{ minute: [] }], plain), 'wrong_type', '/instances/0/window')
  t.end()
})
