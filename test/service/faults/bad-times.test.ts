import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { CANARY, type Refusal, refused } from '../../support/refusal.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()

/** The body of a golden window with other times. */
function withTimes(change: (ts: unknown[]) => unknown): unknown {
  const body = structuredClone(bodyOf(bundle, 0))
  const changed = change(body.data.ts!)
  if (Array.isArray(changed)) body.data.ts = changed
  return body
}

/** Sets one time. */
const time = (row: number, value: unknown) => (ts: unknown[]) => void (ts[row] = value)
const swap = (a: number, b: number) => (ts: unknown[]) => void ([ts[a], ts[b]] = [ts[b], ts[a]])

const SEQUENCES: Record<string, [(ts: unknown[]) => unknown, Refusal]> = {
  'two equal times': [ts => void (ts[5] = ts[4]), ['duplicate_timestamp', '/data/ts/5']],
  'all times equal': [ts => ts.fill(ts[0]), ['duplicate_timestamp', '/data/ts/1']],
  'equal but for the style': [time(9, '2018-02-28T02:50'), ['duplicate_timestamp', '/data/ts/9']],
  'equal to the last digit': [
    ts => Object.assign(ts, ['2018-02-28T02:34:00.0001', '2018-02-28T02:34:00.000100']),
    ['duplicate_timestamp', '/data/ts/1']
  ],
  'a nanosecond too early': [
    ts => Object.assign(ts, ['2018-02-28T02:34:00.000000002', '2018-02-28T02:34:00.000000001']),
    ['unordered_timestamps', '/data/ts/1']
  ],
  'a nanosecond later, but with an offset': [
    ts => Object.assign(ts, ['2018-02-28T02:34:00.000000001', '2018-02-28T02:34:00.000000002Z']),
    ['bad_timestamp', '/data/ts/1']
  ],
  'two swapped times': [swap(3, 4), ['unordered_timestamps', '/data/ts/4']],
  'the newest first': [ts => ts.reverse(), ['unordered_timestamps', '/data/ts/1']],
  'an offset among none': [ts => void (ts[4] += 'Z'), ['bad_timestamp', '/data/ts/4']],
  'none among offsets': [ts => ts.map((text, row) => (row === 7 ? text : `${text}Z`)), ['bad_timestamp', '/data/ts/7']],
  'rows decades apart': [ts => ts.map((_, row) => `${1970 + row * 12}-01-01T00:00:00`), ['bad_timestamp', '/data/ts/9']]
}

/** Single values that are no time. */
const NO_TIMES: [unknown, string][] = [
  ['2024-02-30T00:00:00', 'bad_timestamp'],
  ['2023-02-29T00:00:00', 'bad_timestamp'],
  ['2018-04-31T00:00:00', 'bad_timestamp'],
  ['2018-13-01T00:00:00', 'bad_timestamp'],
  ['2018-00-10T00:00:00', 'bad_timestamp'],
  ['2018-01-00T00:00:00', 'bad_timestamp'],
  ['2018-02-28T24:00:00', 'bad_timestamp'],
  ['2018-02-28T23:60:00', 'bad_timestamp'],
  ['2018-02-28T23:59:60', 'bad_timestamp'],
  ['2018-02-28', 'bad_timestamp'],
  ['2018-02-28T', 'bad_timestamp'],
  ['02:52:00', 'bad_timestamp'],
  ['28/02/2018 02:52:00', 'bad_timestamp'],
  ['Feb 28 2018 02:52', 'bad_timestamp'],
  ['2018-02-28T02:52:00+15:00', 'bad_timestamp'],
  ['2018-02-28T02:52:00+01:60', 'bad_timestamp'],
  ['2018-02-28T02:52:00.', 'bad_timestamp'],
  ['2018-02-28T02:52:00.1234567890', 'bad_timestamp'],
  ['2018-02-28T02:52:00,5', 'bad_timestamp'],
  ['2018-02-28T02:52:00 Z', 'bad_timestamp'],
  [' 2018-02-28T02:52:00', 'bad_timestamp'],
  ['2018-02-28T02:52:00\n', 'bad_timestamp'],
  ['２０１８-02-28T02:52:00', 'bad_timestamp'],
  ['1969-12-31T23:59:59', 'bad_timestamp'],
  ['2100-01-01T00:00:00', 'bad_timestamp'],
  ['+275760-09-13T00:00:00Z', 'bad_timestamp'],
  ['1519786320', 'bad_timestamp'],
  ['', 'bad_timestamp'],
  [CANARY, 'bad_timestamp'],
  ['9'.repeat(100_000), 'bad_timestamp'],
  [1_519_786_320, 'wrong_type'],
  [2 ** 53 + 2, 'wrong_type'],
  [null, 'wrong_type'],
  [true, 'wrong_type'],
  [['2018-02-28T02:52:00'], 'wrong_type'],
  [{}, 'wrong_type']
]

t.test('times out of order, twice or mixed are a 400 that points to the row, never sorted in silence', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, [change, refusal]] of Object.entries(SEQUENCES)) {
      await refused(t, ledger)(what, withTimes(change), refusal)
    }
  })
)

t.test('what is no time is a 400 that points to it, never rolled over to another day', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [value, code] of NO_TIMES) {
      const what = JSON.stringify(value).slice(0, 40)
      await refused(t, ledger)(what, withTimes(time(9, value)), [code, '/data/ts/9'])
      await refused(t, ledger)(`${what} first`, withTimes(time(0, value)), [code, '/data/ts/0'])
    }
    t.equal((await ledger.send(bodyOf(bundle, 0), { right: goldenAnswer(bundle, 0) })).status, 200)
  })
)

/** What may be meant by a value that is no time, by hand: 1519786320 s after 1970 is 2018-02-28 02:52. */
const MEANT: [unknown, string][] = [
  [1_519_786_320, 'send this epoch time in seconds as the text 2018-02-28T02:52:00Z'],
  [1_519_786_320.25, 'in seconds as the text 2018-02-28T02:52:00.250Z'],
  [1_519_786_320_000, 'in milliseconds as the text 2018-02-28T02:52:00Z'],
  [1_519_786_320_000_000, 'in microseconds as the text 2018-02-28T02:52:00Z'],
  [1_519_786_320_000_000_000, 'in nanoseconds as the text 2018-02-28T02:52:00Z'],
  ['1519786320', 'in seconds as the text 2018-02-28T02:52:00Z'],
  ['1519786320000', 'in milliseconds as the text 2018-02-28T02:52:00Z'],
  ['2018-02-28', 'a date alone has no time of day'],
  ['2018-02-28T02:52:00.1234567890', 'the time has more than nine decimals of a second'],
  [5, 'such as 2018-02-28T05:54:00, from 1970 to 2099'],
  ['28/02/2018 02:52:00', 'such as 2018-02-28T05:54:00, from 1970 to 2099']
]

t.test('the refusal of a time says how to write it', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [value, words] of MEANT) {
      const { json } = await ledger.send(withTimes(time(9, value)))
      t.ok(json?.error?.message.endsWith(words), `${JSON.stringify(value)}: ${json?.error?.message}`)
    }
  })
)

t.test('a bad row before the window is refused too: no table is half accepted', t =>
  withService(t, {}, async ({ ledger }) => {
    const longer = (first: string, value: unknown) => {
      const { data } = structuredClone(bodyOf(bundle, 0))
      for (const [name, column] of Object.entries(data)) column.unshift(name === 'ts' ? first : column[0])
      data.up![0] = value
      return { data }
    }
    const right = goldenAnswer(bundle, 0)
    t.equal((await ledger.send(longer('2018-02-28T02:32:00', 0), { right })).status, 200)
    await refused(t, ledger)('a value', longer('2018-02-28T02:32:00', -1), ['out_of_range', '/data/up/0'])
    await refused(t, ledger)('a time', longer('2018-02-30T02:32:00', 0), ['bad_timestamp', '/data/ts/0'])
    await refused(t, ledger)('an order', longer('2018-02-28T02:36:00', 0), ['unordered_timestamps', '/data/ts/1'])
  })
)
