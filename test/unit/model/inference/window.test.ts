import t from 'tap'
import { SharedSlots } from '../../../../src/model/inference/ring/slots.js'
import {
  copiedWindow,
  forecastTime,
  goldenWindow,
  type Table,
  WindowReader
} from '../../../../src/model/inference/window.js'
import { bodyOf, gru } from '../../../support/bundles.js'

const bundle = gru()
const { manifest } = bundle
const SHAPE = { slots: 4, rings: 1, windowRows: manifest.window, featureCount: manifest.features.length }
const MAX_ROWS = 50

function reading() {
  const slots = new SharedSlots(SHAPE)
  const reader = new WindowReader(manifest, slots, MAX_ROWS)
  const values = (slot: number) => {
    const count = SHAPE.windowRows * SHAPE.featureCount
    return slots.window.subarray(slot * count, (slot + 1) * count)
  }
  return { reader, values, read: (table: Table, slot = 0) => reader.read(table, slot) }
}

const table = (): Table => structuredClone(bodyOf(bundle, 0))
const first = manifest.features[0]!.name

t.test('the values lie in the slot row by row, in the order of the manifest, as float32', t => {
  const { read, values } = reading()
  read(table(), 2)
  const expected = bundle.golden.windows[0]!.window.flat().map(Math.fround)
  t.same([...values(2)], expected)
  t.ok(
    [...values(1), ...values(3)].every(value => value === 0),
    'the neighbours are untouched'
  )
  t.end()
})

t.test('of a longer table the last rows are the window', t => {
  const { read, values } = reading()
  const { index_col, data } = table()
  const longer = Object.fromEntries(
    Object.entries(data).map(([name, column]) => {
      const rows = column as unknown[]
      return [name, name === 'ts' ? ['2018-01-01T00:00:00', ...rows] : [0, ...rows]]
    })
  )
  read({ index_col, data: longer } as Table)
  t.same([...values(0)], bundle.golden.windows[0]!.window.flat().map(Math.fround))
  t.end()
})

t.test('what no window is made of is refused by code and pointer', t => {
  const { read } = reading()
  const changed = (change: (data: Record<string, unknown>) => void) => {
    const body = table()
    change(body.data)
    return () => read(body)
  }
  const column = (data: Record<string, unknown>) => data[first] as unknown[]
  t.throws(
    changed(data => (column(data)[9] = -1)),
    { code: 'out_of_range', path: `/data/${first}/9` }
  )
  t.throws(
    changed(data => (column(data)[3] = '1')),
    { code: 'not_a_number', path: `/data/${first}/3` }
  )
  t.throws(
    changed(data => (column(data)[0] = null)),
    { code: 'not_a_number', path: `/data/${first}/0` }
  )
  t.throws(
    changed(data => (column(data)[0] = 1e39)),
    { code: 'non_finite', path: `/data/${first}/0` }
  )
  t.throws(
    changed(data => column(data).pop()),
    { code: 'ragged_columns', path: `/data/${first}` }
  )
  t.throws(
    changed(data => delete data[first]),
    { code: 'missing_column' }
  )
  t.throws(
    changed(data => (data.other = [])),
    { code: 'unknown_column' }
  )
  t.throws(
    changed(data => ((data.ts as unknown[])[4] = 'noon')),
    { code: 'bad_timestamp', path: '/data/ts/4' }
  )
  t.end()
})

t.test('a window that is copied, or golden, needs no reader', t => {
  const { read } = reading()
  const window = read(table(), 1)
  t.match(copiedWindow(window, 3), { slot: 3, last: window.last, spacing: window.spacing })
  t.equal(goldenWindow(2).slot, 2)
  t.end()
})

t.test('the times of a forecast go on from the last row, two minutes a step', t => {
  const { read } = reading()
  const window = read(table())
  const last = Date.parse(`${bundle.golden.windows[0]!.time.at(-1)}Z`)
  for (const step of [1, 30]) {
    t.equal(Date.parse(`${forecastTime(window, step)}Z`), last + step * 120_000)
  }
  t.end()
})
