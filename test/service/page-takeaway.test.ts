import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import t from 'tap'
import { openBrowser } from '../support/browser.js'
import { bodyOf, gru } from '../support/bundles.js'
import { bodyShown, openPage, paste, pressForecast } from '../support/page.js'
import { startService } from '../support/service.js'
import { NAMES, WINDOW, windowCsv } from '../support/window-csv.js'

type Predictions = Record<string, number | string>[]
interface Outcome {
  predictions: Predictions
}

const run = promisify(execFile)
const browser = await openBrowser(t)
const service = await startService()
t.teardown(() => service.stop())

/** What the service answers to a body, without the page. */
async function direct(path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${service.url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return answer.json() as Promise<unknown>
}

/** The text that a button has put into the clipboard. */
async function copied(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name: `Copy as ${name}` }).click()
  await page.locator('#copied').getByText(`Copied as ${name}.`).waitFor()
  return page.evaluate('navigator.clipboard.readText()')
}

const forecasts = (text: string) =>
  [JSON.parse(text) as Outcome | Outcome[]].flat().map(({ predictions }) => predictions)

/** What a command prints that comes from the clipboard. */
async function printed(command: string, args: string[]) {
  const { PATH } = process.env
  return (await run(command, args, { env: { PATH } })).stdout
}

t.test('the command and the program that the page copies run as they stand and forecast the same', async t => {
  const { page } = await openPage(t, browser, service.url)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByLabel('Steps').fill('3')
  const one = bodyOf(gru(), 0, 3)
  const wanted = [((await direct('predict', one)) as Outcome).predictions]
  t.strictSame(forecasts(await printed('/bin/sh', ['-c', await copied(page, 'curl')])), wanted)
  t.strictSame(forecasts(await printed('python3', ['-c', await copied(page, 'Python')])), wanted)

  const many = [one, bodyOf(gru(), 1, 2)]
  await page.locator('#body').fill(JSON.stringify(many))
  const all = ((await direct('predict/batch', many)) as Outcome[]).map(({ predictions }) => predictions)
  t.strictSame(forecasts(await printed('/bin/sh', ['-c', await copied(page, 'curl')])), all)
  t.strictSame(forecasts(await printed('python3', ['-c', await copied(page, 'Python')])), all)
})

t.test('what is copied reaches the service as it was typed, whatever signs it has', async t => {
  const { page } = await openPage(t, browser, service.url)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const { data } = bodyOf(gru(), 0)
  const column = `it's $HOME \`id\` \\ "é" '''`
  // The service names the column that it does not know, or the place at which the text stops being JSON.
  for (const text of [JSON.stringify({ data: { ...data, [column]: [] } }), '{"data":\nBODY\nBODY_\n}', "{ 'one'"]) {
    await page.locator('#body').fill(text)
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${service.url}/predict`, { method: 'POST', headers, body: text })
    const { error } = (await answer.json()) as { error: object }
    const shell = await printed('/bin/sh', ['-c', await copied(page, 'curl')])
    t.strictSame(JSON.parse(shell), { error })
    const program = run('python3', ['-c', await copied(page, 'Python')])
    const { stderr } = await program.catch((failure: { stderr: string }) => failure)
    t.strictSame(JSON.parse(stderr), { error }, 'the program fails with the words of the service')
  }
})

t.test('where the browser lets nothing be copied the text can be taken by hand', async t => {
  const { page } = await openPage(t, browser, service.url)
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
  await page.getByRole('button', { name: 'Copy as curl' }).click()
  const text = await page.getByLabel('The request as text').inputValue()
  t.strictSame(forecasts(await printed('/bin/sh', ['-c', text])), [
    ((await direct('predict', bodyOf(gru(), 0, 1))) as Outcome).predictions
  ])
})

/** The file that a button gives. */
async function saved(page: Page, name: RegExp) {
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name }).click()
  const file = await download
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') }
}

t.test('the forecast can be saved as CSV and as JSON, and the CSV can be read again', async t => {
  const { page } = await openPage(t, browser, service.url)
  t.notOk(await page.locator('#downloads').isVisible(), 'there is nothing to save yet')
  await paste(page, windowCsv(';'))
  await page.getByLabel('Steps').fill('12')
  await pressForecast(page)
  const { predictions } = (await direct('predict', bodyOf(gru(), 3, 12))) as Outcome
  const json = await saved(page, /JSON/)
  t.equal(json.name, 'forecast.json')
  t.strictSame(forecasts(json.text), [predictions])
  const csv = await saved(page, /CSV/)
  t.equal(csv.name, 'forecast.csv')
  const lines = [['ts', ...NAMES], ...predictions.map(row => ['ts', ...NAMES].map(name => row[name]))]
  t.equal(csv.text, lines.map(line => `${line.join(',')}\r\n`).join(''))
  await paste(page, csv.text)
  await page.locator('#table-note').getByText('Read 12 rows').waitFor()
  const { data } = await bodyShown<{ data: Record<string, unknown[]> }>(page)
  t.strictSame(
    data.down,
    predictions.map(({ down }) => down)
  )
  t.notOk(await page.locator('#downloads').isVisible(), 'the answer was another body’s')
})

t.test('the chart says its values under the pointer and by keyboard', async t => {
  const { page } = await openPage(t, browser, service.url)
  await paste(page, windowCsv(','))
  await page.getByLabel('Steps').fill('2')
  await pressForecast(page)
  const readout = page.locator('#readout')
  const { predictions } = (await direct('predict', bodyOf(gru(), 3, 2))) as Outcome
  const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 })
  const ofRow = (row: number) => `${WINDOW.time[row]}: ${number.format(WINDOW.window[row]![0]!)} bit, window`
  const ofStep = (step: number) =>
    `${predictions[step]!.ts}: ${number.format(Number(predictions[step]!.down))} bit, forecast`
  const chart = page.locator('#chart')
  t.match(await readout.textContent(), /^Point at the chart/)
  for (const [point, words] of [
    [page.locator('circle.point').nth(2), ofRow(2)],
    [page.locator('circle.point').nth(10), ofStep(0)]
  ] as const) {
    await point.hover({ force: true })
    t.equal(await readout.textContent(), words)
  }
  t.equal(await page.locator('.cursor circle').count(), 1)
  await page.locator('h1').hover()
  t.match(await readout.textContent(), /^Point at the chart/, 'a pointer that left says nothing')

  await page.getByLabel('Choose a file').focus()
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate('document.activeElement.id'), 'chart')
  const slider = page.getByRole('slider', { name: /^Line chart of down: 10 rows of the window and 2 of the forecast/ })
  const told: [key: string, words: string][] = [
    ['', ofStep(1)],
    ['ArrowRight', ofStep(1)],
    ['ArrowLeft', ofStep(0)],
    ['ArrowLeft', ofRow(9)],
    ['Home', ofRow(0)],
    ['ArrowLeft', ofRow(0)],
    ['PageUp', ofRow(5)],
    ['End', ofStep(1)]
  ]
  for (const [key, words] of told) {
    if (key !== '') await page.keyboard.press(key)
    t.equal(await readout.textContent(), words, key)
    t.equal(await slider.getAttribute('aria-valuetext'), words)
  }
  t.equal(await slider.getAttribute('aria-valuenow'), '12')
  await page.locator('#body').fill('no window')
  t.equal(await chart.getAttribute('role'), 'img', 'a chart of nothing has no values')
  t.equal(await readout.textContent(), '')
})
