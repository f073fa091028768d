import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { openBrowser } from '../support/browser.js'
import { bodyOf, gru } from '../support/bundles.js'
import { bodyShown, drop, openPage, paste, pressForecast } from '../support/page.js'
import { startService } from '../support/service.js'
import { NAMES, WINDOW, windowCsv, withField } from '../support/window-csv.js'

type Body = ReturnType<typeof bodyOf>

const browser = await openBrowser(t)
const service = await startService()
t.teardown(() => service.stop())

const { time, window: measured, forecast } = WINDOW
/** Has an example in the place of what was read before. */
async function otherExample(page: Page) {
  const example = page.getByLabel('Example')
  await example.fill((await example.inputValue()) === '1' ? '2' : '1')
  await example.press('Tab')
  await page.locator('#table-note').getByText('Read').waitFor({ state: 'hidden' })
}

const wanted = bodyOf(gru(), 3, 1)

t.test('a table of one’s own becomes the body, whatever stands between its values', async t => {
  const { page } = await openPage(t, browser, service.url)
  const comma = (field: string, _row: number, column: number) => (column > 0 ? field.replace('.', ',') : field)
  const quoted = (field: string) => `"${field}"`
  const forms: Record<string, [string, string]> = {
    commas: [windowCsv(','), 'Read 10 rows, commas between values.'],
    semicolons: [windowCsv(';'), 'Read 10 rows, semicolons between values.'],
    'tabs, as a spreadsheet copies them': [windowCsv('\t'), 'Read 10 rows, tabs between values.'],
    'decimal commas': [windowCsv(';', comma), 'Read 10 rows, semicolons between values, decimal commas.'],
    'quoted fields': [windowCsv(',', quoted), 'Read 10 rows, commas between values.'],
    'quoted decimal commas': [
      windowCsv(';', (...field) => quoted(comma(...field))),
      'Read 10 rows, semicolons between values, decimal commas.'
    ],
    'a byte order mark, CRLF and blank lines': [
      `\uFEFF${windowCsv(',', quoted).replaceAll('\n', '\r\n')}\r\n\r\n,,,\r\n`,
      'Read 10 rows, commas between values.'
    ],
    'old line ends': [windowCsv(',').replaceAll('\n', '\r'), 'Read 10 rows, commas between values.'],
    'spaces around values': [windowCsv(' , '), 'Read 10 rows, commas between values.']
  }
  for (const [form, [text, note]] of Object.entries(forms)) {
    await otherExample(page)
    await paste(page, text)
    await page.locator('#table-note').getByText(note, { exact: true }).waitFor()
    t.strictSame(await bodyShown<Body>(page), wanted, form)
    t.equal(await page.locator('#table').inputValue(), '', 'what was read leaves the field')
  }
  await pressForecast(page)
  const answer = JSON.parse((await page.locator('#answer').textContent())!) as { predictions: [Record<string, number>] }
  const { absolute, relative } = { absolute: 1e-3, relative: 1e-5 }
  NAMES.forEach((name, feature) => {
    const value = forecast[feature]!
    t.ok(Math.abs(answer.predictions[0][name]! - value) <= absolute + relative * value, `the trainer's ${name}`)
  })
})

t.test('what pandas wrote becomes the body', async t => {
  const { page } = await openPage(t, browser, service.url)
  const { tables } = JSON.parse(readFileSync('test/fixtures/pandas/tables.json', 'utf8')) as {
    tables: Record<string, string>
  }
  for (const [form, text] of Object.entries(tables)) {
    await paste(page, text)
    await page.locator('#table-note').getByText('Read 10 rows').waitFor()
    const { index_col: index, data } = await bodyShown<Body>(page)
    t.equal(Object.keys(data).length, NAMES.length + 1, form)
    const instants = (texts: unknown[]) =>
      texts.map(text => Date.parse(/\dZ$|\d[+-]\d\d:/.test(String(text)) ? String(text) : `${String(text)}Z`))
    t.strictSame(instants(data[index]!), instants(time), `times of ${form}`)
    // JSON has what it was told to have, 15 places; the others have every digit.
    const within = form.startsWith('to_json') ? 1e-15 : 0
    for (const name of NAMES) {
      const far = data[name]!.map((value, row) => Math.abs(Number(value) - Number(wanted.data[name]![row])))
      const most = Math.max(...data[name]!.map(Number))
      t.ok(Math.max(...far) <= within * Math.max(1, most), `${name} of ${form}`)
    }
    await otherExample(page)
  }
})

t.test('a table that was mended in its field is read when the forecast is asked for', async t => {
  const { page } = await openPage(t, browser, service.url)
  await paste(page, withField('abc', 3, 2))
  await page.locator('#unreadable').waitFor()
  await page.locator('#table').fill(windowCsv(','))
  await pressForecast(page)
  t.strictSame(await bodyShown<Body>(page), wanted)
  t.notOk(await page.locator('#unreadable').isVisible())
})

t.test('columns that the model does not have are left out and named', async t => {
  const { page } = await openPage(t, browser, service.url)
  const [head, ...rows] = windowCsv(',').split('\n')
  await paste(page, [`day,${head!},operator`, ...rows.map((row, at) => `${at},${row},"A, B"`)].join('\n'))
  await page.locator('#table-note').getByText('Left out, as the model has no such feature: day, operator.').waitFor()
  t.strictSame(await bodyShown<Body>(page), wanted)
})

t.test('times keep their zone and every digit', async t => {
  const { page } = await openPage(t, browser, service.url)
  const zoned = (text: string) => `${text}.123456789+05:30`
  await paste(
    page,
    windowCsv(',', (field, _row, column) => (column === 0 ? zoned(field) : field))
  )
  await pressForecast(page)
  t.strictSame((await bodyShown<Body>(page)).data.ts, time.map(zoned))
  const answer = (await page.locator('#answer').textContent())!
  t.match(answer, /"ts":"2018-02-28T08:12:00\.123456789\+05:30"/)
})

t.test('of a hundred thousand rows the last are read, as many as MAX_ROWS, and the page says so', async t => {
  const { page } = await openPage(t, browser, service.url)
  const at = (row: number) => new Date(Date.UTC(2018, 0, 1) + row * 120_000).toISOString().slice(0, 19)
  const others = measured[0]!.slice(1).join(',')
  // The line before the last thousand is not looked at.
  const first = (row: number) => (row === 98_999 ? 'no number' : measured[0]![0])
  const text = Array.from({ length: 100_000 }, (_, row) => `${at(row)},${first(row)},${others}`)
  const bytes = Buffer.from([['ts', ...NAMES].join(','), ...text].join('\n'))
  await drop(page, { name: 'long.csv', bytes })
  const note =
    'long.csv: Read 100,000 rows, commas between values. Only the last 1,000 are sent, the most for one request (MAX_ROWS).'
  await page.locator('#table-note').getByText(note, { exact: true }).waitFor()
  const { data } = await bodyShown<Body>(page)
  t.equal(data.ts!.length, 1000)
  t.equal(data.ts!.at(-1), at(99_999))
  await pressForecast(page)
  await paste(page, bytes.toString())
  await page.locator('#table-note').getByText(note.slice('long.csv: '.length), { exact: true }).waitFor()
})

t.test('a service with another MAX_ROWS tells the page', async t => {
  const small = await startService({ env: { MAX_ROWS: '12' } })
  t.teardown(() => small.stop())
  const { page } = await openPage(t, browser, small.url)
  await page.locator('#steps-hint').getByText('1 to 30').waitFor()
  const at = (row: number) => new Date(Date.UTC(2018, 0, 1) + row * 120_000).toISOString().slice(0, 19)
  const rows = Array.from({ length: 15 }, (_, row) => [at(row), ...measured[0]!].join(','))
  await paste(page, [['ts', ...NAMES].join(','), ...rows].join('\n'))
  await page.locator('#table-note').getByText('Only the last 12 are sent').waitFor()
  await pressForecast(page)
})

t.test('files are taken where they are dropped or chosen, and what is no table is told as such', async t => {
  const { page, complaints } = await openPage(t, browser, service.url)
  const told = (words: string) => page.locator('#unreadable').getByText(words).waitFor()
  const noText = (name: string) =>
    `${name} is not text in UTF-8. Expected a CSV or JSON file; a spreadsheet saves one as “CSV UTF-8”.`
  await drop(page, { name: 'desktop.png', type: 'image/png', bytes: readFileSync('docs/screenshots/desktop.png') })
  await told(noText('desktop.png'))
  await drop(page, { name: 'old.csv', bytes: Buffer.from(windowCsv(';').replace('ts', 'día'), 'latin1') })
  await told(noText('old.csv'))
  await drop(page, { name: 'empty.csv', bytes: Buffer.alloc(0) })
  await told('There is nothing in it')
  await drop(
    page,
    { name: 'a.csv', bytes: Buffer.from(windowCsv(',')) },
    { name: 'b.csv', bytes: Buffer.from(windowCsv(',')) }
  )
  await told('These are 2 files. Give one at a time.')
  await drop(page, { name: 'huge.csv', bytes: Buffer.alloc(33 * 1024 * 1024, '1') })
  await told('huge.csv has 33 MiB, and the page reads up to 32 MiB. Its last rows are enough.')
  const utf16 = Buffer.from(`\uFEFF${windowCsv('\t')}`, 'utf16le')
  await drop(page, { name: 'unicode.txt', type: 'text/plain', bytes: utf16 })
  await page.locator('#table-note').getByText('unicode.txt: Read 10 rows, tabs between values.').waitFor()
  t.notOk(await page.locator('#unreadable').isVisible())
  await page
    .getByLabel('Choose a file')
    .setInputFiles({ name: 'b.csv', mimeType: 'text/csv', buffer: Buffer.from(windowCsv(';')) })
  await page.locator('#table-note').getByText('b.csv: Read 10 rows').waitFor()
  t.strictSame(await bodyShown<Body>(page), wanted)
  t.strictSame(complaints, [])
})
