import { type Browser, chromium } from 'playwright-core'

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
