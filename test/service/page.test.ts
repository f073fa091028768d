import type { Page } from 'playwright-core'
import t from 'tap'
import { openBrowser, visit } from '../support/browser.js'
import { bodyOf, gru, lstm, type TestBundle } from '../support/bundles.js'
import { openPage, pressForecast } from '../support/page.js'
import { type Service, startService } from '../support/service.js'

type Predictions = Record<string, number | string>[]

const browser = await openBrowser(t)

async function serve(bundle: TestBundle) {
  const service = await startService({ env: { MODEL_DIR: bundle.folder } })
  t.teardown(() => service.stop())
  return { ...bundle, service }
}

const served = await Promise.all([gru(), lstm()].map(serve))

/** Types the steps, presses the button and waits for the answer to be shown. */
async function forecast(page: Page, steps: number) {
  await page.getByLabel('Steps').fill(String(steps))
  await pressForecast(page)
}

async function predict({ url }: Service, body: object): Promise<Predictions> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/predict`, { method: 'POST', headers, body: JSON.stringify(body) })
  return ((await answer.json()) as { predictions: Predictions }).predictions
}

/** What the page's number format makes of a value. */
const shown = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 })

for (const bundle of served) {
  const { service } = bundle
  const { name, version, run_id: run, sha256, window, target, architecture, features } = bundle.manifest

  t.test(`the page shows ${name} as what serves`, async t => {
    const { page } = await openPage(t, browser, service.url)
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), `${name}, version ${version}`)
    t.equal(await page.locator('#status').textContent(), 'Ready')
    const facts = await page.locator('#facts').innerText()
    const expected = [run, sha256.slice(0, 12), architecture.type, `version ${version} live`, `${window} rows`, 'UTC']
    for (const fact of expected) t.match(facts, fact)
    t.equal(await page.locator('#feature').inputValue(), target, 'the chart begins with the target')
    const names = features.map(feature => feature.name)
    t.strictSame(await page.locator('#feature option').allTextContents(), names)
  })

  t.test(`a click forecasts with ${name} what POST /predict answers`, async t => {
    const { page } = await openPage(t, browser, service.url)
    const steps = 7
    const body = bodyOf(bundle, 2, steps)
    await page.getByLabel('Example').fill('3')
    await page.getByLabel('Example').press('Tab')
    await page.locator('circle.window', { hasText: String(body.data.ts![0]) }).waitFor()
    await forecast(page, steps)
    const direct = await predict(service, body)
    const answer = JSON.parse((await page.locator('#answer').textContent())!) as { predictions: Predictions }
    t.strictSame(answer.predictions, direct)
    await page.getByText('Rows of the chart as a table').click()
    const rows = await page.locator('#rows tr').allInnerTexts()
    t.equal(rows.length, window + steps)
    direct.forEach(({ ts, [target]: value }, step) => {
      t.match(rows[window + step], String(ts))
      t.match(rows[window + step], shown.format(Number(value)))
    })
    t.match(await page.locator('#outcome').textContent(), /by version .* far_ahead: each step after the 5th /)
    t.match(await page.locator('#timing').innerText(), /validate[^]*queue[^]*infer[^]*round trip/, 'Server-Timing')
  })

  t.test(`the chart of ${name} has a point for each row of the window and each step, of any feature`, async t => {
    const { page } = await openPage(t, browser, service.url)
    t.equal(await page.locator('circle.window').count(), window)
    t.equal(await page.locator('circle.forecast').count(), 0, 'no forecast was asked for')
    await forecast(page, 30)
    for (const { name, unit } of features) {
      await page.locator('#feature').selectOption(name)
      t.equal(await page.locator('circle.window').count(), window)
      t.equal(await page.locator('circle.forecast').count(), 30, name)
      const title = (await page.locator('#chart .axis-title').allTextContents()).join(' ')
      t.match(title, name)
      t.match(title.replaceAll('²', '^2'), unit)
      t.match(title, 'UTC')
    }
  })
}

const { service } = served[0]!

t.test('an error is shown in the words of the service, and only until the next forecast', async t => {
  const { page } = await openPage(t, browser, service.url)
  const failure = page.getByRole('alert')
  await page.getByLabel('Steps').fill('31')
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  t.equal(await failure.textContent(), '400 out_of_range expected a whole number from 1 to 30 at /inference_length')
  await page.getByLabel('Request body').fill('{"data": {"ts": [NaN]}}')
  await page.getByLabel('Request body').press('Control+Enter')
  await failure.filter({ hasText: 'malformed_json' }).waitFor()
  t.equal(await page.locator('circle').count(), 0, 'no chart of what is no window')
  await page.getByLabel('Request body').fill('[]')
  await page.getByLabel('Request body').press('Control+Enter')
  await failure.filter({ hasText: 'wrong_type' }).waitFor()
  t.match(await failure.textContent(), /^400 wrong_type the body is a list of rows: [^]*\)$/, 'no place without a name')
  await page.getByLabel('Example').fill('2')
  await page.getByLabel('Example').press('Tab')
  await page.locator('circle.window').first().waitFor()
  await forecast(page, 2)
  t.notOk(await failure.isVisible())
})

t.test('no request leaves the origin, and the console has nothing to complain about', async t => {
  const { page, asked, complaints } = await openPage(t, browser, service.url)
  await forecast(page, 5)
  t.ok(asked.includes(`${service.url}/predict`))
  t.strictSame(
    asked.filter(url => !url.startsWith(`${service.url}/`) && !url.startsWith('data:')),
    []
  )
  t.strictSame(complaints, [])
})

t.test('nothing is wider than a phone', async t => {
  const { page } = await openPage(t, browser, service.url, { width: 360, height: 740 })
  await forecast(page, 30)
  for (const summary of await page.locator('summary').all()) await summary.click()
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
})

t.test('every control has a name, and the keyboard reaches them in order', async t => {
  const { page } = await openPage(t, browser, service.url)
  const order = ['example', 'steps', 'feature', '', 'table', 'file', 'chart', 'body', 'copy-curl', 'copy-python']
  for (const id of order) {
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate('document.activeElement.id'), id)
  }
  const unnamed =
    "[...document.querySelectorAll('input, select, textarea')].filter(control => control.labels.length !== 1).length"
  t.equal(await page.evaluate(unnamed), 0)
})

t.test('/docs lists the operations without a complaint of the browser', async t => {
  const { page, asked, complaints } = await visit(browser, `${service.url}/docs`)
  t.teardown(() => page.close())
  await page.locator('.opblock').first().waitFor()
  const listed = await page.locator('.opblock-summary-path').allInnerTexts()
  const openapi = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: object }
  t.same(new Set(listed.map(path => path.replaceAll('\u200b', ''))), new Set(Object.keys(openapi.paths)))
  t.strictSame(
    asked.filter(url => !url.startsWith(`${service.url}/`) && !url.startsWith('data:')),
    []
  )
  t.strictSame(complaints, [])
})
