import t from 'tap'
import { seriesOf } from '../../../../../src/server/protocols/timeseries/series.js'
import { secondsOf } from '../../../../../src/server/protocols/timeseries/frequency.js'

const manifest = (...names: string[]) => ({ features: names.map(name => ({ name, unit: '-', minimum: 0 })) })
const model = manifest('a', 'b')
const input = (fields: object = {}) => ({
  type: 'multivariate_time_series',
  name: 'cell',
  series: [
    [1, 2],
    [3, 4],
    [5, 6]
  ],
  frequency: 'T',
  frequency_seconds: 120,
  start_timestamp: '2020-02-28T23:58:00Z',
  ...fields
})
const times = (fields: object) => seriesOf(input(fields), [], model).table.data.ts

t.test('a series is a table whose times go on from its start, in its style', t => {
  const { table, name, frequency, ownSeconds } = seriesOf(input(), [], model)
  t.strictSame(table, {
    index_col: 'ts',
    data: {
      ts: ['2020-02-28T23:58:00Z', '2020-02-29T00:00:00Z', '2020-02-29T00:02:00Z'],
      a: [1, 3, 5],
      b: [2, 4, 6]
    }
  })
  t.strictSame([name, frequency, ownSeconds], ['cell', 'T', 120])
  t.strictSame(times({ start_timestamp: '2020-02-28 23:58' }), [
    '2020-02-28 23:58',
    '2020-02-29 00:00',
    '2020-02-29 00:02'
  ])
  t.strictSame(times({ start_timestamp: '2020-01-01T00:00:00.123456789', frequency: 'S', frequency_seconds: 1 }), [
    '2020-01-01T00:00:00.123456789',
    '2020-01-01T00:00:01.123456789',
    '2020-01-01T00:00:02.123456789'
  ])
  t.strictSame(times({ start_timestamp: '2020-01-01T00:00:00-03:30', frequency: 'D', frequency_seconds: undefined }), [
    '2020-01-01T00:00:00-03:30',
    '2020-01-02T00:00:00-03:30',
    '2020-01-03T00:00:00-03:30'
  ])
  t.end()
})

t.test('a feature that is called as times are by use keeps its column', t => {
  const { table, origin } = seriesOf(input(), ['inputs', 4], manifest('ts', 'timestamp'))
  t.equal(table.index_col, 'time')
  t.strictSame(table.data.ts, [1, 3, 5])
  t.strictSame(origin('ts', 2), ['inputs', 4, 'series', 2, 0])
  t.strictSame(origin('timestamp', 2), ['inputs', 4, 'series', 2, 1])
  t.strictSame(origin('time', 2), ['inputs', 4, 'start_timestamp'])
  t.strictSame(origin('time'), ['inputs', 4, 'series'])
  t.strictSame(origin(), ['inputs', 4, 'series'])
  t.end()
})

t.test('each name of the standard has its seconds, and an own number must be a multiple', t => {
  const seconds = {
    S: 1,
    second: 1,
    T: 60,
    minute: 60,
    H: 3600,
    hour: 3600,
    D: 86_400,
    day: 86_400,
    W: 604_800,
    week: 604_800
  }
  for (const [frequency, expected] of Object.entries(seconds))
    t.equal(secondsOf({ frequency }, []), expected, frequency)
  t.equal(secondsOf({ frequency: 'S', frequency_seconds: 120 }, []), 120)
  t.equal(secondsOf({ frequency: 'H', frequency_seconds: 7200 }, []), 7200)
  for (const own of [0, -60, 90, 60.5, 59, 366 * 86_400 + 60, NaN, Infinity]) {
    const error = { code: 'out_of_range', path: '/x/frequency_seconds' }
    t.throws(() => secondsOf({ frequency: 'T', frequency_seconds: own }, ['x']), error, String(own))
  }
  for (const frequency of ['month', 'M', 'quarter', 'Q', 'year', 'Y', '2min', 't', 'toString', '']) {
    t.throws(() => secondsOf({ frequency }, ['x']), { code: 'out_of_range', path: '/x/frequency' }, frequency)
  }
  t.end()
})
