import t from 'tap'
import { openBrowser } from '../support/browser.js'
import { bodyOf, gru } from '../support/bundles.js'
import { openPage, paste } from '../support/page.js'
import { startService } from '../support/service.js'
import { NAMES, WINDOW, windowCsv, withField } from '../support/window-csv.js'

const browser = await openBrowser(t)
const service = await startService()
t.teardown(() => service.stop())
const { time, window: measured } = WINDOW
const records = time.map((ts, row) => {
  const values = NAMES.map((name, feature) => [name, measured[row]![feature]!] as const)
  return { ts, ...Object.fromEntries(values) } as Record<string, unknown>
})
const wanted = bodyOf(gru(), 3, 1)

t.test('a table that cannot be read is told by line and column, and nothing is sent', async t => {
  const { page, asked } = await openPage(t, browser, service.url)
  const before = await page.locator('#body').inputValue()
  const doubled = (line: string) => line.replace('up,', 'down,')
  const cases: [text: string, words: string][] = [
    ['', 'There is nothing in it: expected a header line, and a line for each row.'],
    [' \n\r\n', 'There is nothing in it: expected a header line, and a line for each row.'],
    [
      windowCsv('|'),
      'Line 1 has no comma, semicolon or tab: expected a header line with the names of the columns, and one of these between them.'
    ],
    [windowCsv(',').split('\n')[0]!, 'The table has names, but no rows.'],
    [windowCsv(',').split('\n').slice(0, 8).join('\n'), 'The table has 7 rows, but a window of the model has 10.'],
    [
      windowCsv(',').split('\n').slice(1).join('\n'),
      `Line 1 names no feature of the model: expected a column of times, and ${NAMES.join(', ')}.`
    ],
    [
      windowCsv(',').replace('mcs_up,', 'MCS,').replace('rb_up,', 'RB,'),
      'Line 1: the model needs columns mcs_up, rb_up.'
    ],
    [doubled(windowCsv(',')), 'Line 1: the name down stands twice, in columns 2 and 3.'],
    [
      windowCsv(',')
        .replace('ts,', 'when,')
        .replace(/2018-02-28/g, 'day 59'),
      'Line 1: a column of times is missing. Call it ts, timestamp, time or date.'
    ],
    [withField('abc', 3, 2), 'Line 5, column up: “abc” is not a number.'],
    [withField('', 0, 1), 'Line 2, column down: the value is missing.'],
    [withField('NaN', 9, 11), 'Line 11, column rb_up_var: the value is missing.'],
    [withField('1e999', 4, 1), 'Line 6, column down: “1e999” is too large.'],
    [withField('1e39', 4, 1), 'Line 6, column down: “1e39” is too large.'],
    [withField('-Infinity', 4, 1), 'Line 6, column down: “-Infinity” is not a finite number.'],
    [withField('-1', 4, 1), 'Line 6, column down: “-1” is below 0 (bit), the smallest value.'],
    [withField('31.5', 4, 4), 'Line 6, column mcs_down: “31.5” is above 31 (index), the largest value.'],
    [withField('0x10', 4, 1), 'Line 6, column down: “0x10” is not a number.'],
    [withField('"1,5"', 4, 1), 'Line 6, column down: “1,5” is not a number.'],
    [
      withField('1,5', 4, 1),
      'Line 6 has 13 values, but the header names 12 columns. Numbers with a decimal comma need semicolons between values.'
    ],
    [withField('5"', 4, 1), 'Line 6: a quote (") is opened and never closed.'],
    [
      windowCsv(';').replace(/;(\d+)\.(\d+)/, ';$1,$2'),
      'Line 2, column mcs_down_var: “86.16659287291468” has a decimal point, but line 2 has the other mark.'
    ],
    [
      withField('28.02.2018 05:54', 2, 0),
      'Line 4, column ts: “28.02.2018 05:54” is not a time such as 2018-02-28T05:54:00.'
    ],
    [
      withField('2018-02-28T25:00:00', 2, 0),
      'Line 4, column ts: “2018-02-28T25:00:00” is not a time such as 2018-02-28T05:54:00.'
    ],
    [
      withField('2018-02-31T05:54:00', 2, 0),
      'Line 4, column ts: “2018-02-31T05:54:00” is not a time such as 2018-02-28T05:54:00.'
    ],
    [withField('', 2, 0), 'Line 4, column ts: the time is missing.'],
    [withField(`${time[2]!}Z`, 2, 0), `Line 4, column ts: “${time[2]!}Z” has a zone, unlike the time before.`],
    [
      withField(time[1]!, 2, 0),
      `Line 4, column ts: “${time[1]!}” is the time of line 3 too. A column that says of which cell a row is must be called cell.`
    ],
    [
      withField(time[0]!, 2, 0),
      `Line 4, column ts: “${time[0]!}” is earlier than the time of line 3. A column that says of which cell a row is must be called cell.`
    ],
    ['{"down": {"0": 1', 'This begins like JSON, but is not:'],
    [
      records
        .map(record => JSON.stringify(record))
        .join('\n')
        .replace('\n{', '\n['),
      'Line 2 is not a JSON object.'
    ],
    ['{"answer": 42}', 'This JSON is neither a request body, nor an array of them, nor a table as pandas writes it.'],
    [JSON.stringify([{ ts: time[0], down: 1 }]), 'The table: the model needs columns'],
    [JSON.stringify(records.with(6, { ...records[6], up: null })), 'Row 7, column up: the value is missing.'],
    [
      JSON.stringify({ ...wanted.data, down: wanted.data.down!.slice(1) }),
      'Row 10, column down: the value is missing.'
    ],
    [
      JSON.stringify({ ...wanted.data, down: [true, ...wanted.data.down!.slice(1)] }),
      'Row 1, column down: “true” is not a number.'
    ]
  ]
  for (const [text, words] of cases) {
    await paste(page, text)
    await page.locator('#unreadable').getByText(words).waitFor()
    const told = await page.locator('#unreadable').textContent()
    t.equal(words.endsWith('.') ? told : told!.slice(0, words.length), words)
  }
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  t.ok(await page.locator('#unreadable').isVisible(), 'a table that cannot be read holds the request back')
  t.equal(await page.locator('#body').inputValue(), before, 'the body stays what it was')
  t.notOk(asked.some(url => url.endsWith('/predict')))
})
