import t from 'tap'
import { formatTime, styleOf } from '../../../../src/model/inference/time-style.js'
import { hasZone, nanosOf, parseTime } from '../../../../src/model/inference/timestamps.js'

const READ: [string, number][] = [
  ['2018-02-28T05:54:00', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28 05:54:00', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28T05:54', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28T05:54:00Z', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28 05:54+01', Date.UTC(2018, 1, 28, 4, 54)],
  ['2018-02-28T05:54:00+0130', Date.UTC(2018, 1, 28, 4, 24)],
  ['2018-02-28T05:54:00-03:00', Date.UTC(2018, 1, 28, 8, 54)],
  ['2018-02-28T05:54:00.57', Date.UTC(2018, 1, 28, 5, 54, 0, 570)],
  ['2018-02-28T05:54:00.123456789Z', Date.UTC(2018, 1, 28, 5, 54, 0, 123)],
  ['2018-02-28t05:54:00z', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28t05:54:00', Date.UTC(2018, 1, 28, 5, 54)],
  ['2018-02-28t05:54:00.5+01:00', Date.UTC(2018, 1, 28, 4, 54, 0, 500)],
  ['2018-02-28T05:54:00-00:00', Date.UTC(2018, 1, 28, 5, 54)],
  ['2024-02-29T00:00:00', Date.UTC(2024, 1, 29)],
  ['1970-01-01T00:00:00', 0],
  ['2099-12-31T23:59:59', Date.UTC(2099, 11, 31, 23, 59, 59)]
]

t.test('a time is read as UTC or by its offset', t => {
  for (const [text, ms] of READ) t.equal(parseTime(text), ms, text)
  t.end()
})

const REFUSED = [
  ...[
    '',
    '2018',
    '2018-02-28',
    '2018-02-28T24:00:00',
    '2018-02-28T05:60:00',
    '2018-02-28T05:54:60',
    '2018-02-30T05:54:00'
  ],
  ...[
    '2023-02-29T05:54:00',
    '2018-13-01T05:54:00',
    '2018-00-01T05:54:00',
    '2018-01-00T05:54:00',
    '2018-2-28T05:54:000'
  ],
  ...[
    '2018-02-28x05:54:00',
    '2018-02-28T05-54-00',
    ' 2018-02-28T05:54:00',
    '2018-02-28T05:54:00 ',
    '2018-02-28T05:54:00.1234567890',
    '2018-02-28T05:54:00,5'
  ],
  ...[
    '2018-02-28T05:54:00+15:00',
    '2018-02-28T05:54:00+01:60',
    '2018-02-28T05:54:00.',
    '20180228T055400',
    '1519797240'
  ],
  ...[
    '1969-12-31T23:59:59',
    '2100-01-01T00:00:00',
    '1970-01-01T00:00:00+01:00',
    '２018-02-28T05:54:00',
    '2018-02-28T0x:54:00'
  ],
  ...['2018-02-28T05:5a:00', '2018-02-28T05:54:0 ', '20a8-02-28T05:54:00', '+018-02-28T05:54:00', '2018-02-28T-5:54:00']
]

t.test('what is no time is refused, and no day rolls over into the next', t => {
  for (const text of REFUSED) t.ok(Number.isNaN(parseTime(text)), JSON.stringify(text))
  t.end()
})

t.test('a day that does not exist stays refused however often and between which days it is asked', t => {
  for (const text of ['2018-02-28T00:00:00', '2018-02-30T00:00:00', '2018-02-30T00:02:00', '2018-03-01T00:00:00']) {
    t.equal(Number.isNaN(parseTime(text)), text.includes('02-30'), text)
  }
  t.end()
})

t.test('an answer is written as its request was, to the last digit', t => {
  for (const [text, ms] of READ) t.equal(formatTime(ms, nanosOf(text), styleOf([text], 0)), text)
  t.end()
})

t.test('what is finer than a millisecond is kept beside it', t => {
  const BELOW: [string, number][] = [
    ['2018-02-28T05:54:00', 0],
    ['2018-02-28T05:54:00.123', 0],
    ['2018-02-28T05:54:00+01:00', 0],
    ['2018-02-28T05:54:00.123+01:00', 0],
    ['2018-02-28T05:54:00.5+01:00', 0],
    ['2018-02-28T05:54:00.25-0330', 0],
    ['2018-02-28T05:54', 0],
    ['2018-02-28T05:54+01:00', 0],
    ['2018-02-28T05:54:00.1234', 400_000],
    ['2018-02-28T05:54:00.000000001Z', 1],
    ['2018-02-28T05:54:00.999999999-03:30', 999_999],
    ['2018-02-28T05:54:00.000120+01', 120_000]
  ]
  for (const [text, nanos] of BELOW) t.equal(nanosOf(text), nanos, text)
  t.end()
})

t.test('the next times cross midnight, the end of February and the end of the year', t => {
  const next = (text: string, minutes: number) =>
    formatTime(parseTime(text) + minutes * 60_000, nanosOf(text), styleOf([text], 0))
  t.equal(next('2018-02-28T23:58:00', 2), '2018-03-01T00:00:00')
  t.equal(next('2024-02-28 23:58:00', 2), '2024-02-29 00:00:00')
  t.equal(next('2018-12-31T23:58:00+01:00', 4), '2019-01-01T00:02:00+01:00')
  t.equal(next('2018-12-31T23:58', 2), '2019-01-01T00:00')
  t.equal(next('2018-12-31T23:58:00.0001Z', 2), '2019-01-01T00:00:00.0001Z')
  t.end()
})

t.test('a writer that leaves zeros away is answered alike: the fewest digits of its rows that lose nothing', t => {
  const START = Date.UTC(2018, 1, 28, 5, 54)
  const at = (texts: string[], ms: number, nanos = 0) => formatTime(START + ms, nanos, styleOf(texts, 0)).slice(11)
  // Python's isoformat: six digits, or none where they are zero.
  const python = ['2018-02-28T05:53:59.500000', '2018-02-28T05:54:00']
  t.equal(at(python, 500), '05:54:00.500000')
  t.equal(at(python, 1000), '05:54:01')
  t.equal(at(python.toReversed(), 1000), '05:54:01')
  // Java's toString: groups of three, and not even seconds where they are zero.
  const java = ['2018-02-28T05:53', '2018-02-28T05:53:30', '2018-02-28T05:53:30.250', '2018-02-28T05:53:30.250001']
  t.equal(at(java, 0), '05:54')
  t.equal(at(java, 30_000), '05:54:30')
  t.equal(at(java, 30_250), '05:54:30.250')
  t.equal(at(java, 30_250, 1000), '05:54:30.250001')
  // Where no row has enough digits, no digit is lost all the same.
  t.equal(at(['2018-02-28T05:54'], 30_000), '05:54:30')
  t.equal(at(['2018-02-28T05:54:00'], 20), '05:54:00.02')
  t.equal(at(['2018-02-28T05:54:00.1'], 0, 1), '05:54:00.000000001')
  t.end()
})

t.test('a zone is seen where there is one', t => {
  t.same(['2018-02-28T05:54:00', '2018-02-28T05:54', '2018-02-28T05:54:00.5'].map(hasZone), [false, false, false])
  t.same(['2018-02-28T05:54:00Z', '2018-02-28 05:54+01', '2018-02-28T05:54:00.5-03:00'].map(hasZone), [
    true,
    true,
    true
  ])
  t.end()
})
