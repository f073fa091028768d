import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Headless, without a sandbox (root in a container has none), and silent: it asks nobody but the page under test. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

interface Test {
  teardown(end: () => Promise<unknown>): unknown
}

/** A real browser with a temporary profile of its own; it is closed, and the profile deleted, when the test ends. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS })
  t.teardown(() => browser.close())
  return browser
}

export interface Visit {
  page: Page
  /** what the console and uncaught exceptions complained about; violations of the content security policy among it */
  complaints: string[]
  /** every URL that was asked for */
  asked: string[]
}

/** Opens a page of the browser that writes down what it asks for and what goes wrong. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const page = await browser.newPage(options)
  const complaints: string[] = []
  const asked: string[] = []
  page.on('request', request => asked.push(request.url()))
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints, asked }
}
