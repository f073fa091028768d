import { request } from 'node:http'
import t from 'tap'
import { startPage } from '../../src/bench/live/page.js'
import { LiveState } from '../../src/bench/live/state.js'
import { benchCell, benchRun } from '../support/bench-cells.js'
import { openBrowser, visit } from '../support/browser.js'

const browser = await openBrowser(t)

async function livePage(t: { teardown(end: () => Promise<unknown>): unknown }) {
  const reasons: string[] = []
  const state = new LiveState(why => reasons.push(why))
  const page = await startPage(state, 0)
  t.teardown(() => page.close())
  return { state, page, reasons }
}

const post = (url: string, headers: Record<string, string>) => fetch(`${url}/stop`, { method: 'POST', headers })

t.test('a sweep can be watched in a browser, and stopped there', async t => {
  const { state, page: served, reasons } = await livePage(t)
  const cells = [1, 2].map(repeat => benchCell({ plan: { repeat } }))
  state.planned(benchRun(cells))
  const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' as const }
  const { page, complaints, asked } = await visit(browser, served.url, phone)
  await page.getByText('0 of 2 cells done', { exact: true }).waitFor()
  state.began(cells[0]!.plan.key, 'warm-up')
  state.tick({ good: 70, failed: 3, p50Us: 1500, p99Us: 90_250 })
  await page.getByText('0 of 2 cells done, 1/2/100/4/1 warm-up', { exact: true }).waitFor()
  await page.locator('#p99', { hasText: '90.3 ms' }).waitFor()
  const figures = await page.locator('dd').allInnerTexts()
  t.strictSame(figures.slice(0, 3), ['70 a second', '3 a second', '1.5 ms'])
  state.ended(cells[0]!)
  await page.locator('#cells tr', { hasText: 'done' }).waitFor()
  const row = await page.locator('#cells tr').first().locator('th, td').allInnerTexts()
  t.strictSame([row[0], row[1], row[2], row[4]], ['1/2/100/4/1', 'done', '100', '0.00'], '1000 answers in 10 s')
  t.match(row[3], /^100\.[01]$/, 'every answer took 100 ms, kept to three digits')
  t.equal(await page.locator('canvas').count(), 2, 'two charts')
  const width = await page.evaluate('document.documentElement.scrollWidth')
  t.equal(width, 360, 'a phone need not be scrolled sideways')
  await page.getByRole('button', { name: 'Stop the sweep' }).click()
  await page.getByText('Stopping: 1 of 2 cells done', { exact: true }).waitFor()
  t.strictSame(reasons, ['stopped on its page'])
  await served.close()
  await page.getByText('Stopped', { exact: true }).waitFor()
  t.strictSame(
    complaints.filter(text => !/ERR_(INCOMPLETE|CONNECTION)/.test(text)),
    []
  )
  t.ok(
    asked.every(url => url.startsWith(served.url) || url === 'data:,'),
    'nothing comes from elsewhere'
  )
})

t.test('no other site can read the page or stop the sweep', async t => {
  const { page, reasons } = await livePage(t)
  t.equal((await post(page.url, {})).status, 403, 'without a token')
  t.equal((await post(page.url, { 'x-token': 'f'.repeat(64) })).status, 403, 'with a wrong one')
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const options = { headers: { host: 'evil.example' }, agent: false }
    request(page.url, options, response => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  t.equal(status, 403, 'under a foreign name, which would give the token away')
  t.strictSame(reasons, [])
})

t.test('a page on a port that is taken says so', async t => {
  const { page } = await livePage(t)
  const port = Number(new URL(page.url).port)
  const state = new LiveState(() => {})
  await t.rejects(startPage(state, port), {
    code: 'port_in_use',
    exitCode: 3,
    message: `port ${port} of the live page is in use: choose another port with --ui-port`
  })
})
