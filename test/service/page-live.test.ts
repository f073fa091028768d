import { cpSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { openBrowser, visit } from '../support/browser.js'
import { gru, lstm } from '../support/bundles.js'
import { startService } from '../support/service.js'

const browser = await openBrowser(t)

/** A scrape: cumulative counts of good forecasts at 1 ms, 2 ms, 10 ms and beyond; refusals; batches and their rows. */
function scrapeText(good: readonly number[], refused: number, batches: number, rows: number) {
  const name = 'gru_request_duration_seconds'
  const bounds = ['0.001', '0.002', '0.01', '+Inf']
  const series = (route: string, status: string, counts: readonly number[]) => [
    ...bounds.map((le, index) => `${name}_bucket{le="${le}",route="${route}",status="${status}"} ${counts[index]}`),
    `${name}_count{route="${route}",status="${status}"} ${counts.at(-1)}`
  ]
  return [
    ...series('/predict', '200', good),
    ...series('/predict', '429', [refused, refused, refused, refused]),
    ...['200', '404'].flatMap(status => series('/model', status, [0, 0, 9 * refused, 9 * refused])),
    `gru_batch_rows_sum ${rows}`,
    `gru_batch_rows_count ${batches}`,
    'gru_queue_depth 7',
    'gru_ready 1'
  ].join('\n')
}

t.test('the live figures are what the metrics gained in two seconds', async t => {
  const service = await startService()
  t.teardown(() => service.stop())
  const page = await browser.newPage()
  t.teardown(() => page.close())
  let scrape = scrapeText([1000, 1000, 1000, 1000], 500, 300, 900)
  await page.route('**/metrics', route => route.fulfill({ body: scrape }))
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1000)
  await page.goto(service.url)
  await page.locator('#live-queue', { hasText: '7' }).waitFor()
  const figures = () => page.locator('.figures dd').allInnerTexts()
  t.strictSame(await figures(), ['– a second', '– a second', '–', '–', '– rows', '7 rows'], 'one look has no rate')

  const next = async (text: string, rate: string) => {
    scrape = text
    await page.clock.runFor(2000)
    await page.locator('#live-rate').getByText(rate, { exact: true }).waitFor()
  }
  await next(scrapeText([1050, 1090, 1100, 1100], 510, 325, 1000), '50')
  t.strictSame(await figures(), ['50 a second', '5 a second', '1.00 ms', '9.20 ms', '4.0 rows', '7 rows'])
  await next(scrapeText([1050, 1090, 1100, 1106], 510, 325, 1000), '3')
  t.strictSame(await figures(), ['3 a second', '0 a second', '> 10.0 ms', '> 10.0 ms', '– rows', '7 rows'])
  t.match(await page.locator('#live-peak').textContent(), '50 forecasts a second')
  // A process started anew counts from 0: that look has no rate, the one after it has.
  scrape = scrapeText([0, 0, 0, 0], 0, 0, 0).replace('gru_queue_depth 7', 'gru_queue_depth 2')
  await page.clock.runFor(2000)
  await page.locator('#live-queue').getByText('2', { exact: true }).waitFor()
  t.equal(await page.locator('#live-rate').textContent(), '3', 'nothing is known yet of the new process')
  await next(scrapeText([8, 8, 8, 8], 0, 8, 8), '4')
  t.strictSame(await figures(), ['4 a second', '0 a second', '0.500 ms', '0.990 ms', '1.0 rows', '7 rows'])
})

t.test('no figure is made of the counters of two replicas, which a balancer may show in turn', async t => {
  const service = await startService()
  t.teardown(() => service.stop())
  const page = await browser.newPage()
  t.teardown(() => page.close())
  let scrape = ''
  let replica = 'a'
  await page.route('**/metrics', route => route.fulfill({ body: scrape, headers: { 'x-replica': replica } }))
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1000)
  const figures = () => page.locator('.figures dd').allInnerTexts()
  const NONE = ['– a second', '– a second', '–', '–', '– rows', '– rows']
  const hint = page.locator('#live-replica')
  /** The next look, of a replica that has answered so many forecasts. */
  const look = async (of: string, good: number) => {
    replica = of
    scrape = scrapeText([good, good, good, good], 0, good, good)
    const answered = page.waitForResponse('**/metrics')
    await page.clock.runFor(2000)
    await answered
  }
  scrape = scrapeText([100, 100, 100, 100], 0, 100, 100)
  await page.goto(service.url)
  await page.locator('#live-queue', { hasText: '7' }).waitFor()
  await look('b', 3000)
  await hint.getByText('Two replicas answered').waitFor()
  t.strictSame(await figures(), NONE, 'more than before, of another one')
  await look('b', 3058)
  await page.locator('#live-rate').getByText('29', { exact: true }).waitFor()
  t.equal(await hint.textContent(), '', 'the same one twice: 58 in two seconds')
  await look('a', 200)
  await hint.getByText('Two replicas answered').waitFor()
  t.strictSame(await figures(), NONE, 'the figure of the other one does not stay')
  await look('a', 220)
  await page.locator('#live-rate').getByText('10', { exact: true }).waitFor()
})

t.test('the page says when a replica drains, when nobody answers, and when the service is back', async t => {
  const service = await startService({ env: { DRAIN_DELAY_MS: '8000' } })
  const { page } = await visit(browser, service.url)
  t.teardown(() => page.close())
  const status = (text: string) => page.locator('#status').getByText(text, { exact: true }).waitFor()
  await status('Ready')
  service.process.kill('SIGTERM')
  await status('Not ready')
  await service.stop()
  await status('No answer, trying again')
  t.equal(await page.locator('#live-rate').textContent(), '–', 'no figure outlives the service')
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  t.equal(await page.getByRole('alert').textContent(), 'No answer from the service.')
  const back = await startService({ env: { PORT: String(service.port) } })
  t.teardown(() => back.stop())
  await status('Ready')
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.locator('circle.forecast').waitFor()
  t.notOk(await page.getByRole('alert').isVisible())
})

t.test('an open page follows a promotion to a model of another shape, and tells of a refused one', async t => {
  const folder = t.testdir()
  const token = 'a-token-of-this-test'
  cpSync(gru().folder, folder, { recursive: true })
  const service = await startService({ env: { MODEL_DIR: folder, ADMIN_TOKEN: token } })
  t.teardown(() => service.stop())
  const { page } = await visit(browser, service.url)
  t.teardown(() => page.close())
  await page.locator('circle.window').first().waitFor()
  const reload = () =>
    fetch(`${service.url}/admin/reload`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })

  cpSync(lstm().folder, folder, { recursive: true })
  t.equal((await reload()).status, 200)
  const { name, version, window, features } = lstm().manifest
  await page.getByRole('heading', { level: 1 }).getByText(`${name}, version ${version}`).waitFor()
  await page.locator('#feature').getByText(features[1]!.name).waitFor({ state: 'attached' })
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.locator('circle.forecast').waitFor()
  t.equal(await page.locator('circle.window').count(), window)

  writeFileSync(`${folder}/model.onnx`, 'not a model')
  t.equal((await reload()).status, 422)
  await page.locator('#facts').getByText('refused').waitFor()
  t.match(await page.locator('#facts').innerText(), 'checksum_mismatch')
  t.equal(await page.locator('#status').textContent(), 'Ready', 'the old model serves on')
})
