import { execFileSync } from 'node:child_process'
import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'
import type { Entry, Ledger } from '../support/ledger.js'
import { withService } from '../support/shared-service.js'

// The host's zone must not matter, least of all one whose clocks change.
const options = { env: { TZ: 'Europe/Madrid' } }
const bundle = gru()

/** Asks for two steps after ten rows of other times; the values are those of a golden window. */
function forecast(ledger: Ledger, times: string[], index_col = 'ts'): Promise<Entry> {
  const { ts, ...columns } = bodyOf(bundle, 0).data
  return ledger.send({ index_col, data: { [index_col]: times, ...columns }, inference_length: 2 })
}

/** Ten times that end with `last`, two minutes apart, made from minutes of one hour. */
const minutes = (first: number, write: (minute: string) => string) =>
  Array.from({ length: 10 }, (_, row) => write(String(first + row * 2).padStart(2, '0')))

/** The style of a request's times, with the times of the two forecasts, worked out by hand. */
const STYLES: Record<string, [string[], string, string]> = {
  'none, with a T': [minutes(30, mm => `2018-02-28T02:${mm}:00`), '2018-02-28T02:50:00', '2018-02-28T02:52:00'],
  'none, with a space': [minutes(30, mm => `2018-02-28 02:${mm}:00`), '2018-02-28 02:50:00', '2018-02-28 02:52:00'],
  'to the minute': [minutes(30, mm => `2018-02-28T02:${mm}`), '2018-02-28T02:50', '2018-02-28T02:52'],
  Z: [minutes(30, mm => `2018-02-28T02:${mm}:00Z`), '2018-02-28T02:50:00Z', '2018-02-28T02:52:00Z'],
  'an offset': [
    minutes(30, mm => `2018-02-28T02:${mm}:00+01:00`),
    '2018-02-28T02:50:00+01:00',
    '2018-02-28T02:52:00+01:00'
  ],
  'an offset to the west': [
    minutes(40, mm => `2018-02-28T23:${mm}:00-0330`),
    '2018-03-01T00:00:00-0330',
    '2018-03-01T00:02:00-0330'
  ],
  'an offset of hours': [
    minutes(30, mm => `2018-02-28T02:${mm}:00+05`),
    '2018-02-28T02:50:00+05',
    '2018-02-28T02:52:00+05'
  ],
  tenths: [minutes(30, mm => `2018-02-28T02:${mm}:00.5`), '2018-02-28T02:50:00.5', '2018-02-28T02:52:00.5'],
  microseconds: [
    minutes(30, mm => `2018-02-28T02:${mm}:07.250000Z`),
    '2018-02-28T02:50:07.250000Z',
    '2018-02-28T02:52:07.250000Z'
  ],
  nanoseconds: [
    minutes(30, mm => `2018-02-28T02:${mm}:07.000000001Z`),
    '2018-02-28T02:50:07.000000001Z',
    '2018-02-28T02:52:07.000000001Z'
  ],
  'lower case': [minutes(30, mm => `2018-02-28t02:${mm}:00z`), '2018-02-28t02:50:00z', '2018-02-28t02:52:00z'],
  'the end of a year': [minutes(40, mm => `2019-12-31T23:${mm}:00`), '2020-01-01T00:00:00', '2020-01-01T00:02:00'],
  'a leap day': [minutes(40, mm => `2020-02-28T23:${mm}:00`), '2020-02-29T00:00:00', '2020-02-29T00:02:00']
}

t.test('the forecasts go on from the last row in the style that came in', t =>
  withService(t, options, async ({ ledger }) => {
    for (const [what, [times, first, second]] of Object.entries(STYLES)) {
      const { status, json } = await forecast(ledger, times)
      t.equal(status, 200, what)
      t.same(
        json?.predictions?.map(({ ts }) => ts),
        [first, second],
        what
      )
      t.notOk(json?.warnings, `${what}: as the model was trained`)
    }
  })
)

t.test("a join on the answer's times finds what Python wrote, to the last digit", t => {
  const written = execFileSync('python3', ['test/support/next_times.py'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH }
  })
  const tables = JSON.parse(written) as { times: string[]; next: string[] }[]
  t.equal(tables.length, 300)
  return withService(t, options, async ({ ledger }) => {
    const wrong = []
    for (const { times, next } of tables) {
      const { json } = await forecast(ledger, times)
      const got = json?.predictions?.map(({ ts }) => ts)
      if (got?.join() !== next.join()) wrong.push({ times, next, got })
    }
    t.same(wrong, [])
  })
})

t.test('rows that are less than a millisecond apart are different times, and the forecasts go on at their pace', t =>
  withService(t, options, async ({ ledger }) => {
    const every = (step: number, digits: number) =>
      Array.from({ length: 12 }, (_, row) => `2018-02-28T02:30:00.${String(row * step + 5).padStart(digits, '0')}`)
    for (const times of [every(1, 4), every(1, 9), every(999_999, 9), every(250, 6)]) {
      const { status, json } = await forecast(ledger, times.slice(0, 10))
      t.equal(status, 200)
      t.same(
        json?.predictions?.map(({ ts }) => ts),
        times.slice(10)
      )
    }
    t.match((await forecast(ledger, every(1, 4).slice(0, 10))).json?.warnings, [/^other_spacing: .* 0\.0001 s apart/])
    // A window that is even but for a nanosecond is not even.
    const [first, ...others] = minutes(30, mm => `2018-02-28T02:${mm}:00.000000000`)
    const uneven = await forecast(ledger, [first!.replace(/0$/, '1'), ...others])
    t.match(uneven.json?.warnings, [/^uneven_spacing/])
    t.equal(uneven.json?.predictions?.[0]?.ts, '2018-02-28T02:50:00.000000000')
  })
)

t.test('times without an offset are UTC: an hour that the host skips is there, and one that it has twice is once', t =>
  withService(t, options, async ({ ledger }) => {
    const spring = [...minutes(40, mm => `2018-03-25T01:${mm}:00`)]
    t.same(
      (await forecast(ledger, spring)).json?.predictions?.map(({ ts }) => ts),
      ['2018-03-25T02:00:00', '2018-03-25T02:02:00']
    )
    const skipped = await forecast(
      ledger,
      minutes(40, mm => `2018-03-25T02:${mm}:00`)
    )
    t.same(
      skipped.json?.predictions?.map(({ ts }) => ts),
      ['2018-03-25T03:00:00', '2018-03-25T03:02:00']
    )
    t.notOk(skipped.json?.warnings)
    const autumn = await forecast(
      ledger,
      minutes(40, mm => `2018-10-28T02:${mm}:00`)
    )
    t.same(
      autumn.json?.predictions?.map(({ ts }) => ts),
      ['2018-10-28T03:00:00', '2018-10-28T03:02:00']
    )
  })
)

t.test('offsets may change between rows, as where clocks change: the moment counts', t =>
  withService(t, options, async ({ ledger }) => {
    const before = ['42', '44', '46', '48', '50', '52', '54', '56', '58'].map(mm => `2018-03-25T01:${mm}:00+01:00`)
    const { json } = await forecast(ledger, [...before, '2018-03-25T03:00:00+02:00'])
    t.same(
      json?.predictions?.map(({ ts }) => ts),
      ['2018-03-25T03:02:00+02:00', '2018-03-25T03:04:00+02:00']
    )
    t.notOk(json?.warnings, 'the rows are two minutes apart')
  })
)

t.test('other and uneven spacing are served, at the rows own pace or at the model pace, with a warning', t =>
  withService(t, options, async ({ ledger }) => {
    const five = await forecast(
      ledger,
      Array.from({ length: 10 }, (_, row) => `2018-02-28T02:${String(row * 5).padStart(2, '0')}:00`)
    )
    t.same(
      five.json?.predictions?.map(({ ts }) => ts),
      ['2018-02-28T02:50:00', '2018-02-28T02:55:00']
    )
    t.match(five.json?.warnings, [/^other_spacing: .* 300 s apart; .* 120 s apart/])
    const times = minutes(30, mm => `2018-02-28T02:${mm}:00`)
    const uneven = await forecast(ledger, ['2018-02-28T02:00:00', ...times.slice(1)])
    t.same(
      uneven.json?.predictions?.map(({ ts }) => ts),
      ['2018-02-28T02:50:00', '2018-02-28T02:52:00']
    )
    t.match(uneven.json?.warnings, [/^uneven_spacing: .* 120 s/])
  })
)

t.test('a longer table is read by its last rows; what was before makes no difference and no warning', t =>
  withService(t, options, async ({ ledger }) => {
    const right = goldenAnswer(bundle, 0)
    const body = structuredClone(bodyOf(bundle, 0))
    for (const [name, column] of Object.entries(body.data)) {
      column.unshift(...(name === 'ts' ? ['2018-02-20T00:00:00', '2018-02-27 23:59'] : [0, 1]))
    }
    const { status, json } = await ledger.send(body, { right })
    t.equal(status, 200)
    t.equal(json?.predictions?.[0]?.ts, '2018-02-28T02:54:00')
    t.notOk(json?.warnings, 'the window itself is even')
  })
)

t.test('the times are found under any of their usual names, or where index_col says', t =>
  withService(t, options, async ({ ledger }) => {
    const right = goldenAnswer(bundle, 0)
    const { ts, ...columns } = bodyOf(bundle, 0).data
    for (const name of ['ts', 'timestamp', 'time', 'date']) {
      t.equal((await ledger.send({ data: { [name]: ts, ...columns } }, { right })).status, 200, name)
    }
    for (const name of ['when', 'ts', 'Zeit/~"', '__proto__', '']) {
      const data = JSON.stringify({ ...columns }).replace('{', `{${JSON.stringify(name)}:${JSON.stringify(ts)},`)
      const body = `{"index_col":${JSON.stringify(name)},"data":${data}}`
      t.equal((await ledger.send(body, { right })).status, 200, name)
    }
  })
)
