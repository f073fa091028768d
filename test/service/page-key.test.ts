import { execFile } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { openBrowser, visit } from '../support/browser.js'
import { pressForecast } from '../support/page.js'
import { startService } from '../support/service.js'

const run = promisify(execFile)
const KEY = 'k-7f3a'
const browser = await openBrowser(t)
const service = await startService()
t.teardown(() => service.stop())

/** A server before the service that wants a key for what `guarded` names, and notes the keys that came. */
async function startFront(t: Test, guarded: RegExp) {
  const keys: (string | undefined)[] = []
  const answer = async (request: IncomingMessage, reply: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization } = request.headers
    if (guarded.test(request.url!)) {
      keys.push(authorization)
      if (authorization !== `Bearer ${KEY}`) {
        const error = { code: 'unauthorized', message: 'expected an API key', retryable: false }
        return reply.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
      }
    }
    const post = request.method === 'POST' && { method: 'POST', body: Buffer.concat(chunks) }
    const headers = post ? { 'content-type': 'application/json' } : {}
    const passed = await fetch(service.url + request.url!, { ...post, headers })
    const kept = ['content-type', 'content-security-policy', 'server-timing'].flatMap(name => {
      const value = passed.headers.get(name)
      return value === null ? [] : [[name, value] as const]
    })
    return reply.writeHead(passed.status, Object.fromEntries(kept)).end(Buffer.from(await passed.arrayBuffer()))
  }
  const server = createServer((request, reply) => void answer(request, reply))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys }
}

async function giveKey(page: Page, key: string) {
  await page.getByLabel('API key').fill(key)
  await page.getByLabel('API key').press('Enter')
}

t.test('a refused request asks for the key, which the tab keeps and sends, and nobody else', async t => {
  const front = await startFront(t, /^\/predict/)
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  await page.goto(front.url)
  await page.locator('circle.window').first().waitFor()
  t.notOk(await page.locator('#key-form').isVisible(), 'no key was asked for yet')
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.locator('#key-hint').getByText('The service wants an API key.').waitFor()
  t.match(
    await page.getByRole('alert').filter({ hasText: '401' }).textContent(),
    '401 unauthorized expected an API key'
  )

  await giveKey(page, 'wrong')
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.locator('#key-hint').getByText('The service does not take this API key.').waitFor()
  await giveKey(page, 'two words')
  await page.locator('#key-hint').getByText('An API key has letters, digits and signs, and no spaces.').waitFor()
  await giveKey(page, KEY)
  await pressForecast(page)
  t.strictSame(front.keys, [undefined, 'Bearer wrong', `Bearer ${KEY}`])
  t.notOk(await page.locator('#key-form').isVisible(), 'a key that is taken is not asked for')
  t.equal(await page.locator('#key').inputValue(), '', 'the field does not keep the key')

  const kept = await page.evaluate('[JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]')
  t.strictSame(kept, [JSON.stringify({ 'gru-api-key': KEY }), '{}', ''])
  await page.reload()
  await page.locator('circle.window').first().waitFor()
  await pressForecast(page)
  t.equal(front.keys.at(-1), `Bearer ${KEY}`, 'a reload keeps the key')
  const other = await context.newPage()
  await other.goto(front.url)
  t.equal(await other.evaluate('sessionStorage.length'), 0, 'another tab has none')

  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  for (const name of ['curl', 'Python']) {
    await page.getByRole('button', { name: `Copy as ${name}` }).click()
    await page.locator('#copied').getByText(`Copied as ${name}.`).waitFor()
    const text = await page.evaluate<string>('navigator.clipboard.readText()')
    t.notMatch(text, KEY, 'a text that is passed on does not hold the key')
    const [command, flag] = name === 'curl' ? ['/bin/sh', '-c'] : ['python3', '-c']
    const { PATH } = process.env
    const { stdout } = await run(command!, [flag!, text], { env: { PATH, API_KEY: KEY } })
    t.match(JSON.parse(stdout), { status: 'SUCCESS' })
    t.equal(front.keys.at(-1), `Bearer ${KEY}`, 'it is read from the environment')
  }
  await page.getByRole('button', { name: 'Forget the API key' }).click()
  t.equal(await page.evaluate('sessionStorage.length'), 0)
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: '401' }).waitFor()
  t.equal(front.keys.at(-1), undefined)
})

t.test('a page that gets no model without a key begins when it has one', async t => {
  const front = await startFront(t, /^\/(predict|model)/)
  const { page } = await visit(browser, front.url)
  t.teardown(() => page.close())
  await page.locator('#status').getByText('An API key is needed').waitFor()
  await giveKey(page, KEY)
  await page.locator('#status').getByText('Ready').waitFor()
  await page.locator('circle.window').first().waitFor()
  await pressForecast(page)
})

t.test('a browser that keeps nothing for the page holds the key while the page is open', async t => {
  const front = await startFront(t, /^\/predict/)
  const page = await browser.newPage()
  t.teardown(() => page.close())
  await page.addInitScript("Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('blocked') } })")
  await page.goto(front.url)
  await page.locator('circle.window').first().waitFor()
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await giveKey(page, KEY)
  await pressForecast(page)
  t.strictSame(front.keys, [undefined, `Bearer ${KEY}`])
})
