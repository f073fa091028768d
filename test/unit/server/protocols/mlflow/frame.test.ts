import t from 'tap'
import { csvFrame as csvOf } from '../../../../../src/server/protocols/mlflow/csv-frame.js'
import { boundsOf } from '../../../../../src/server/protocols/mlflow/frame-bounds.js'
import {
  type Frame,
  recordsFrame as recordsOf,
  splitFrame as splitOf,
  tableOf
} from '../../../../../src/server/protocols/mlflow/frame.js'

/** Of a model with one feature; 18 columns with the surplus that is told by name. */
const BOUNDS = boundsOf(1, 3)
const splitFrame = (value: unknown) => splitOf(value, BOUNDS)
const recordsFrame = (value: unknown) => recordsOf(value, BOUNDS)
const csvFrame = (text: string) => csvOf(text, BOUNDS)
const TIMES = ['2020-01-01 00:00:00', '2020-01-01 00:02:00']
/** The same in ms since 1970, by hand: 18,262 days of 86,400 s. */
const EPOCH_MS = [1_577_836_800_000, 1_577_836_920_000]
const ISO = ['2020-01-01T00:00:00', '2020-01-01T00:02:00']
const columnsOf = ({ columns }: Frame) => Object.fromEntries(columns)

t.test('the forms of one frame are one table', t => {
  const split = splitFrame({
    columns: ['ts', 'down'],
    index: [0, 1],
    data: [
      [TIMES[0], 1],
      [TIMES[1], null]
    ]
  })
  const records = recordsFrame([{ ts: TIMES[0], down: 1 }, { ts: TIMES[1] }])
  const csv = csvFrame(`\uFEFF,ts,down\n0,${TIMES[0]},1.0\n1,${TIMES[1]},\n`)
  for (const frame of [split, records, csv]) {
    t.strictSame(columnsOf(frame), { ts: TIMES, down: [1, null] })
    t.strictSame(tableOf(frame, undefined).table, { index_col: 'ts', data: { ts: TIMES, down: [1, null] } })
  }
  t.end()
})

t.test('each form tells where the caller wrote an element', t => {
  const split = splitFrame({ columns: ['ts', 'down'], data: [[TIMES[0], 1]] })
  t.strictSame(split.origin('down', 0), ['dataframe_split', 'data', 0, 1])
  t.strictSame(split.origin('down'), ['dataframe_split', 'columns', 1])
  t.strictSame(split.origin(), ['dataframe_split', 'columns'])
  const records = recordsFrame([{ ts: TIMES[0], down: 1 }])
  t.strictSame(records.origin('down', 0), ['dataframe_records', 0, 'down'])
  t.strictSame(records.origin('down'), ['dataframe_records'])
  const csv = csvFrame(`\nts,down\n\n${TIMES[0]},1\n`)
  t.strictSame(csv.origin('down', 0), ['line 4', 'down'])
  t.strictSame(csv.origin('down'), ['line 2', 'down'])
  t.strictSame(csv.origin(), ['line 2'])
  t.end()
})

t.test('times are found by name, by the usual names, or in the index, and numbers become text', t => {
  const frame = (columns: string[], row: unknown[], index?: unknown[]) =>
    splitFrame({ columns, data: [row], ...(index && { index }) })
  t.equal(tableOf(frame(['down', 'date'], [1, TIMES[0]]), undefined).times, 'date')
  t.equal(tableOf(frame(['ts', 'at'], [1, TIMES[0]]), 'at').times, 'at')
  t.strictSame(tableOf(frame(['time'], [EPOCH_MS[1]]), undefined).table.data, { time: [ISO[1]] })
  const indexed = tableOf(frame(['down'], [1], [EPOCH_MS[0]]), undefined)
  t.strictSame(indexed.table, { index_col: 'ts', data: { down: [1], ts: [ISO[0]] } })
  t.strictSame(indexed.origin('ts', 0), ['dataframe_split', 'index', 0])
  t.strictSame(indexed.origin('ts'), ['dataframe_split', 'index'])
  t.strictSame(indexed.origin('down', 0), ['dataframe_split', 'data', 0, 0])
  t.strictSame(tableOf(frame(['ts'], [EPOCH_MS[0]! + 250]), undefined).table.data, { ts: ['2020-01-01T00:00:00.250'] })
  t.strictSame(
    tableOf(frame(['ts'], [EPOCH_MS[0]! / 1000]), undefined).table.data,
    { ts: [EPOCH_MS[0]! / 1000] },
    'seconds'
  )
  t.strictSame(tableOf(frame(['ts', 'down'], [TIMES[0], EPOCH_MS[0]]), undefined).table.data.down, EPOCH_MS.slice(0, 1))
  const missing = { code: 'missing_index' }
  t.throws(() => tableOf(frame(['down'], [1]), undefined), missing)
  t.throws(() => tableOf(frame(['down'], [1], [0]), undefined), missing, 'numbers of rows')
  t.throws(() => tableOf(frame(['ts'], [TIMES[0]]), 'at'), { ...missing, path: '/params/index_col' })
  t.end()
})

t.test('names that objects have by birth are ordinary columns', t => {
  for (const name of ['__proto__', 'constructor']) {
    const frames = [
      splitFrame(JSON.parse(`{"columns":["ts","${name}"],"data":[["${TIMES[0]}",1]]}`)),
      recordsFrame(JSON.parse(`[{"ts":"${TIMES[0]}","${name}":1}]`)),
      csvFrame(`ts,${name}\n${TIMES[0]},1`)
    ]
    for (const frame of frames) {
      const { data } = tableOf(frame, undefined).table
      t.strictSame(Object.entries(data), [
        ['ts', [TIMES[0]]],
        [name, [1]]
      ])
      t.equal(Object.getPrototypeOf(data), Object.prototype)
    }
  }
  t.end()
})

t.test('a cell of CSV is a number, a missing value or text, as pandas reads it', t => {
  const cells: [string, unknown][] = [
    ['1', 1],
    ['-1.5e-3', -0.0015],
    ['+.5', 0.5],
    ['5.', 5],
    [' 7 ', 7],
    ['', null],
    ['NaN', null],
    ['<NA>', null],
    ['inf', 'inf'],
    ['1_000', '1_000'],
    ['0x10', '0x10'],
    ['"1"', 1]
  ]
  for (const [text, value] of cells) t.strictSame(columnsOf(csvFrame(`ts,a\nx,${text}`)).a, [value], text)
  t.end()
})

t.test('a frame is refused as soon as it has more columns or rows than a table may have', t => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`)
  const record = (count: number) => Object.fromEntries(names(count).map(name => [name, 1]))
  t.equal(splitFrame({ columns: names(18), data: [] }).columns.size, 18)
  t.equal(recordsFrame([record(18)]).columns.size, 18)
  t.equal(csvFrame(names(18).join()).columns.size, 18)
  const wide = { code: 'unknown_column' }
  t.throws(() => splitFrame({ columns: names(19), data: [] }), { ...wide, path: '/dataframe_split/columns' })
  t.throws(() => recordsFrame([{}, record(19)]), { ...wide, path: '/dataframe_records/1' })
  t.throws(() => csvFrame(`\n${names(19).join()}`), { ...wide, path: '/line 2' })
  const long = { code: 'too_many_rows' }
  const rows = (count: number) => Array.from({ length: count }, () => [1])
  t.equal(splitFrame({ columns: ['a'], data: rows(3) }).columns.get('a')!.length, 3)
  t.equal(csvFrame('a\n1\n1\n\n1\n\n').columns.get('a')!.length, 3)
  t.throws(() => splitFrame({ columns: ['a'], data: rows(4) }), { ...long, path: '/dataframe_split/data' })
  t.throws(() => recordsFrame(rows(4).map(() => ({}))), { ...long, path: '/dataframe_records' })
  t.throws(() => csvFrame('a\n1\n1\n1\n1'), { ...long, path: '/line 5' })
  t.end()
})
