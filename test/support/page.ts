import type { Browser, Page } from 'playwright-core'
import { type Visit, visit } from './browser.js'

interface Test {
  teardown(end: () => Promise<unknown>): unknown
}

/** The page of a service, with its first example drawn. */
export async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  viewport = { width: 1280, height: 900 }
): Promise<Visit> {
  const visited = await visit(browser, url, { viewport })
  t.teardown(() => visited.page.close())
  await visited.page.locator('circle.window').first().waitFor()
  return visited
}

/** Presses the button and waits for an answer. */
export async function pressForecast(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Forecast', exact: true }).click()
  await page.locator('#timing').waitFor()
}

/** What the body's field holds. */
export async function bodyShown<Body>(page: Page): Promise<Body> {
  return JSON.parse(await page.locator('#body').inputValue()) as Body
}

/** Has the page run a script in which `given` is a value of ours: what is a document's own is not known to our types. */
const run = (page: Page, given: unknown, script: string) =>
  page.evaluate(`(given => { ${script} })(${JSON.stringify(given)})`)

/** Pastes a text over what stands in the field for tables, as the keyboard does. */
export async function paste(page: Page, text: string): Promise<void> {
  const script = `
    const clipboardData = new DataTransfer()
    clipboardData.setData('text', given)
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
    document.querySelector('#table').select()
    document.querySelector('#table').dispatchEvent(event)`
  await run(page, text, script)
}

interface DroppedFile {
  name: string
  type?: string
  bytes: Buffer
}

/** Drops files somewhere on the page. */
export async function drop(page: Page, ...files: DroppedFile[]): Promise<void> {
  const script = `
    const dataTransfer = new DataTransfer()
    for (const { name, type, text } of given)
      dataTransfer.items.add(new File([Uint8Array.from(atob(text), byte => byte.charCodeAt(0))], name, { type }))
    const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })
    document.querySelector('h1').dispatchEvent(event)`
  const given = files.map(({ name, type = 'text/csv', bytes }) => ({ name, type, text: bytes.toString('base64') }))
  await run(page, given, script)
}
