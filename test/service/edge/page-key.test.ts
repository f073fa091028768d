import t from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { openBrowser, visit } from '../../support/browser.js'
import { gru } from '../../support/bundles.js'
import { startService } from '../../support/service.js'

const { manifest } = gru()
const KEY = 'key-of-the-page'

t.test(
  'the page asks for a key where the service wants one, and forecasts with it until its tab is closed',
  async t => {
    const API_KEYS_FILE = `${t.testdir({ keys: keyLine('page', KEY) })}/keys`
    const service = await startService({ env: { API_KEYS_FILE, LOG_REQUESTS: 'true' } })
    t.teardown(() => service.process.kill('SIGKILL'))
    const browser = await openBrowser(t)
    const { page } = await visit(browser, service.url)
    const status = page.locator('#status')
    const key = page.getByLabel('API key')
    await key.waitFor()
    t.equal(await status.textContent(), 'An API key is needed')
    await key.fill('wrong')
    await key.press('Enter')
    await page.waitForResponse(response => response.url().endsWith('/model') && response.status() === 401)
    t.ok(await key.isVisible(), 'a wrong one is none')
    await key.fill(KEY)
    await page.getByRole('button', { name: 'Use the key' }).click()
    await page.locator('circle.window').first().waitFor()
    t.equal(await status.textContent(), 'Ready')
    t.equal(await page.locator('h1').textContent(), `${manifest.name}, version ${manifest.version}`)
    t.notOk(await key.isVisible())
    await page.getByRole('button', { name: 'Forecast' }).click()
    await page.locator('circle.forecast').first().waitFor()
    const line = JSON.parse(await service.line('"route":"/predict"')) as Record<string, unknown>
    t.match(line, { status: 200, caller: 'page' })
    await page.reload()
    await page.locator('circle.window').first().waitFor()
    t.notOk(await key.isVisible(), 'the tab still has it')
    const another = await visit(browser, service.url)
    await another.page.getByLabel('API key').waitFor()
  }
)

t.test('where none is wanted nobody is asked for one', async t => {
  const service = await startService()
  t.teardown(() => service.process.kill('SIGKILL'))
  const { page, complaints } = await visit(await openBrowser(t), service.url)
  await page.locator('circle.window').first().waitFor()
  t.notOk(await page.getByLabel('API key').isVisible())
  t.same(complaints, [])
})
