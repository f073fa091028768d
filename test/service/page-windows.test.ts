import { readFile } from 'node:fs/promises'
import t from 'tap'
import { openBrowser } from '../support/browser.js'
import { bodyOf, gru } from '../support/bundles.js'
import { bodyShown, openPage, paste, pressForecast } from '../support/page.js'
import { startService } from '../support/service.js'
import { NAMES } from '../support/window-csv.js'

const browser = await openBrowser(t)
const service = await startService()
t.teardown(() => service.stop())

const bundle = gru()
const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 })

/** Rows of cells as one CSV, in the order of their times as a collector writes them. `rows`: how many of each window. */
function cellsCsv(cells: { cell: string; index: number; rows?: number }[]): string {
  const lines = cells.flatMap(({ cell, index, rows = 10 }) => {
    const { time, window } = bundle.golden.windows[index]!
    return time.slice(0, rows).map((ts, row) => ({ row, fields: [ts, `"${cell}"`, ...window[row]!].join(',') }))
  })
  const sorted = lines.sort((a, b) => a.row - b.row).map(({ fields }) => fields)
  return [['time', 'cell_id', ...NAMES].join(','), ...sorted].join('\n')
}

async function batch(bodies: unknown[]) {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(bodies)
  const answer = await fetch(`${service.url}/predict/batch`, { method: 'POST', headers, body })
  return (await answer.json()) as { predictions: Record<string, number | string>[] }[]
}

t.test('a table of several cells becomes a window for each, with its forecast or its error', async t => {
  const { page, asked, complaints } = await openPage(t, browser, service.url)
  await paste(
    page,
    cellsCsv([
      { cell: 'North, 1', index: 2 },
      { cell: 'short', index: 4, rows: 4 },
      { cell: 'South', index: 7 }
    ])
  )
  await page
    .locator('#table-note')
    .getByText('Read 24 rows, commas between values. The last 10 rows of each of 3 cells are sent.')
    .waitFor()
  t.equal(await page.locator('#body-route').textContent(), 'POST /predict/batch')
  const rows = page.locator('#windows-list li')
  t.strictSame(await rows.locator('.name').allTextContents(), ['North, 1', 'short', 'South'])
  t.strictSame(await rows.locator('.became').allTextContents(), Array(3).fill('no forecast yet'))
  await page.getByLabel('Steps').fill('2')
  const bodies = await bodyShown<{ data: Record<string, unknown[]>; inference_length: number }[]>(page)
  t.strictSame(
    bodies.map(({ data, inference_length: steps }) => [data.time!.length, steps]),
    [
      [10, 2],
      [4, 2],
      [10, 2]
    ]
  )
  t.strictSame(bodies[2]!.data.down, bodyOf(bundle, 7).data.down)

  await pressForecast(page)
  t.ok(asked.includes(`${service.url}/predict/batch`))
  const answers = await batch([bodyOf(bundle, 2, 2), bodyOf(bundle, 7, 2)])
  const first = (at: number) => answers[at]!.predictions[0]!
  const words = (at: number) => `${number.format(Number(first(at).down))} bit at ${first(at).ts}`
  const short = 'too_few_rows: expected at least 10 rows, got 4 at /1/data/time'
  t.strictSame(await rows.locator('.became').allTextContents(), [words(0), short, words(1)])
  t.match(await page.locator('#windows-count').textContent(), '3 windows, 1 with an error')
  t.equal(await page.locator('circle.window').count(), 10)
  t.equal(await page.locator('circle.forecast').count(), 2)

  await page.getByRole('radio', { name: /South/ }).check()
  t.match(
    await page.locator('#outcome').textContent(),
    `down at ${first(1).ts}: ${number.format(Number(first(1).down))} bit`
  )
  await page.keyboard.press('ArrowUp')
  t.equal(await page.locator('#outcome').textContent(), `No forecast: ${short}`, 'the keyboard chooses too')
  t.equal(await page.locator('circle.window').count(), 4)
  t.equal(await page.locator('circle.forecast').count(), 0)
  await page.locator('#feature').selectOption('up')
  t.match(
    await rows.nth(0).locator('.became').textContent(),
    number.format(Number(first(0).up)),
    'of the chosen feature'
  )

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: /CSV/ }).click()
  const lines = (await readFile(await (await download).path(), 'utf8')).split('\r\n')
  t.equal(lines[0], ['cell', 'ts', ...NAMES, 'error'].join(','))
  t.equal(lines.length, 1 + 2 + 1 + 2 + 1)
  t.match(lines[1], `"North, 1",${first(0).ts},${first(0).down},`)
  t.match(lines[3], /^short,{12},"too_few_rows: expected at least 10 rows, got 4"$/)
  t.strictSame(complaints, [])
})

t.test('an array of bodies is sent as a batch, wherever it is put', async t => {
  const { page } = await openPage(t, browser, service.url)
  const bodies = [bodyOf(bundle, 0), { data: {} }, bodyOf(bundle, 1, 4)]
  await paste(page, JSON.stringify(bodies))
  await page.locator('#table-note').getByText('Read 3 request bodies.').waitFor()
  t.strictSame(await bodyShown(page), bodies)
  await pressForecast(page)
  t.match(await page.locator('#windows-list li').nth(1).textContent(), /^window 2missing_index: .* at \/1\/data$/)
  t.match(await page.locator('#outcome').textContent(), /The trainer forecast/, 'the first one is the example')
  await page.getByRole('radio', { name: /window 3/ }).check()
  t.notMatch(await page.locator('#outcome').textContent(), /The trainer forecast/, 'the third one is not')
  await page.locator('#body').fill(JSON.stringify(bodies.slice(2)))
  await pressForecast(page)
  t.notOk(await page.locator('#windows').isVisible(), 'one window needs no list')
  t.equal(await page.locator('circle.forecast').count(), 4)
})

t.test('a table of one cell, named as such, is one window', async t => {
  const { page } = await openPage(t, browser, service.url)
  await paste(page, cellsCsv([{ cell: 'alone', index: 2 }]))
  await pressForecast(page)
  t.strictSame(Object.keys(await bodyShown<object>(page)), ['index_col', 'data', 'inference_length'])
})

t.test('more cells than a call may have are told before anything is sent, as is a row without a cell', async t => {
  const { page } = await openPage(t, browser, service.url)
  const many = Array.from({ length: 257 }, (_, at) => ({ cell: `cell ${at}`, index: at % 60 }))
  await paste(page, cellsCsv(many))
  await page
    .locator('#unreadable')
    .getByText('Line 258, column cell_id: more than 256 cells, the most for one call (MAX_WINDOWS).')
    .waitFor()
  await paste(
    page,
    cellsCsv([
      { cell: 'a', index: 1 },
      { cell: '', index: 2 }
    ])
  )
  await page.locator('#unreadable').getByText('Line 3, column cell_id: the value is missing.').waitFor()
  await paste(page, cellsCsv(many.slice(1)))
  await page.locator('#table-note').getByText('each of 256 cells').waitFor()
  await pressForecast(page)
  t.equal(await page.locator('.became[data-state=forecast]').count(), 256)
})

t.test('long names, errors and a key make nothing wider than a phone', async t => {
  const { page } = await openPage(t, browser, service.url, { width: 360, height: 740 })
  const width = () => page.evaluate('document.documentElement.scrollWidth')
  const cell = 'a'.repeat(200)
  await paste(
    page,
    cellsCsv([
      { cell, index: 1, rows: 3 },
      { cell: 'b', index: 2 }
    ])
  )
  await pressForecast(page)
  t.equal(await width(), 360)
  await page.route('**/predict/batch', route => route.fulfill({ status: 401, json: {} }))
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.getByLabel('API key').waitFor()
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
  await page.getByRole('button', { name: 'Copy as curl' }).click()
  await paste(page, `${cell},${cell}`)
  await page.locator('#unreadable').waitFor()
  t.equal(await width(), 360)
})
