import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { type Scrape, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowBody } from '../../support/slow-model.js'
import type { Ledger } from '../../support/ledger.js'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND', 'SEARCH', 'TRACE', 'M-SEARCH']
const PATHS = [
  (id: string) => `/${id}`,
  (id: string) => `/predict/${id}`,
  (id: string) => `/predict?${id}=${id}`,
  (id: string) => `/${id}/%2e%2e/${id}`,
  (id: string) => `/docs/${id}`,
  (id: string) => `//${id}`,
  (id: string) => `/model?x=${id}`,
  (id: string) => `/%zz${id}`,
  () => '/predict'
]

/** Series, but for those of the garbage collector: each of its four kinds comes with its first run. */
const ours = (series: Scrape) => [...series.keys()].filter(name => !name.startsWith('nodejs_gc_')).length

/** Requests of every method and path, none the same as another; the id of each is its own too. */
async function wander(ledger: Ledger, from: number, to: number): Promise<void> {
  const callers = Array.from({ length: 20 }, async (_, caller) => {
    for (let at = from + caller; at < to; at += 20) {
      const id = `z${at.toString(36)}`
      const sending = { method: METHODS[at % METHODS.length]!, path: PATHS[at % PATHS.length]!(id) }
      await ledger.send(at % 3 === 0 ? '' : '{}', { ...sending, headers: { 'x-request-id': id, 'user-agent': id } })
    }
  })
  await Promise.all(callers)
}

t.test('five thousand paths, methods and ids leave the number of series as it is', t =>
  withService(t, {}, async ({ service, ledger }) => {
    // Every method with every path once: what can be labelled is labelled by now.
    await wander(ledger, 0, METHODS.length * PATHS.length * 3)
    const before = ours(await scrape(service.url))
    await wander(ledger, METHODS.length * PATHS.length * 3, 5000)
    const after = await scrape(service.url)
    t.ok(Math.abs(ours(after) - before) <= 5, `${before} series before, ${ours(after)} after`)
    t.ok(after.size < 1000)
    for (const name of after.keys()) if (/[/"]z[0-9a-z]+/.test(name)) t.fail(name)
  })
)

t.test('a URL that cannot be decoded is refused like anything else, and not repeated', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const path of ['/%zz-canary', '/predict/%e0%a4%a', '/%']) {
      const { status, text, json, headers, id } = await ledger.get(path)
      t.equal(status, 400, path)
      t.match(json, { error: { code: 'bad_request', retryable: false } })
      t.equal(headers['x-request-id'], id)
      t.notMatch(text, /canary|FST_/)
    }
  })
)

t.test('/metrics and the health routes answer while a worker is stuck', t =>
  withService(t, { env: { ...SLOW, RUN_TIMEOUT_MS: '100', DEADLINE_MS: '100' } }, async ({ service, ledger }) => {
    const stuck = await openRaw(service.port)
    stuck.socket.write(rawRequest(JSON.stringify(slowBody(1000))))
    await eventually('not ready', async () => !(await fetch(`${service.url}/readyz`)).ok)
    const began = performance.now()
    const metrics = await scrape(service.url)
    t.equal(metrics.get('gru_ready'), 0)
    t.ok(performance.now() - began < 500, 'in no time')
    t.equal((await ledger.get('/healthz')).status, 200)
    const refused = await ledger.send(slowBody(0))
    t.match(refused, { status: 503, json: { error: { code: 'model_not_ready' } } }, 'nobody is let in to wait')
    const text = await eventually('the answer', () => stuck.text())
    t.match(text, /^HTTP\/1\.1 503 .*"code":"run_timeout"/s, 'the run is given up')
    ledger.book(503, text)
    await eventually('ready again', async () => (await fetch(`${service.url}/readyz`)).ok)
    t.equal((await ledger.send(slowBody(0))).status, 200)
    stuck.socket.destroy()
    return { executed: 1 }
  })
)
