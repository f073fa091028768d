import { rmSync } from 'node:fs'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { buildFaulty, MAGIC } from '../../support/faulty-build.js'
import type { Ledger } from '../../support/ledger.js'
import { Ledger as Caller } from '../../support/ledger.js'
import { grown, scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const folder = t.testdir({ build: {} })
const entry = await buildFaulty(`${folder}/build`)
const BROKEN_FILE = `${folder}/broken`
const env = { ...SLOW, BATCH_CAP: '1', DEADLINE_MS: '60000', BROKEN_FILE }
const deaths = 'gru_worker_deaths_total'

const good = (ledger: Ledger) => ledger.send(slowBody(0), { right: slowAnswer() })
const isReady = async (url: string) => (await fetch(`${url}/readyz`)).ok

t.test('a worker that cannot come back: not ready and refusing, not spinning, and serving again once it can', t =>
  withService(t, { entry, env }, async ({ service, ledger, before }) => {
    const bad = ledger.send(slowBody(0, [MAGIC.breaks, MAGIC.breaks]))
    const behind = Array.from({ length: 8 }, () => good(ledger))
    t.equal((await bad).json?.error?.code, 'worker_failed')
    for (const { json } of await Promise.all(behind)) {
      t.match(json?.error, { code: 'worker_failed', retryable: true }, 'who waits is told as soon as there is no hope')
    }
    t.equal(await isReady(service.url), false)
    const refused = await good(ledger)
    t.match(refused, { status: 503, json: { error: { code: 'model_not_ready', retryable: true } } })
    t.ok(refused.headers['retry-after'])
    t.equal((await ledger.get('/healthz')).status, 200, 'it lives')
    const after = await scrape(service.url)
    t.equal(grown('gru_refusals_total{reason="model_not_ready"}', before, after), 1)
    const died = () => service.lines.filter(line => line.includes('"a worker died"'))
    await eventually('two more tries', () => died().length >= 5)
    const [, , third, , fifth] = died().map(line => (JSON.parse(line) as { time: number }).time)
    t.ok(fifth! - third! >= 1200 - 10, '400 ms before the fourth and 800 before the fifth')
    rmSync(BROKEN_FILE)
    await eventually('it is ready again', () => isReady(service.url), 60_000)
    t.equal((await good(ledger)).status, 200)
  })
)

t.test('with two workers, the one that is able serves everybody', t =>
  withService(t, { entry, env: { ...env, WORKERS: '2' } }, async ({ service, ledger, before }) => {
    t.teardown(() => rmSync(BROKEN_FILE, { force: true }))
    // Until one lands on the first worker: the second one does not break.
    await eventually('the first worker is in a crash loop', async () => {
      if (grown(deaths, before, await scrape(service.url)) >= 3) return true
      if (await isReady(service.url)) await ledger.send(slowBody(0, [MAGIC.breaks, MAGIC.breaks]))
      return false
    })
    for (let round = 0; round < 20; round++) t.equal((await good(ledger)).status, 200)
  })
)

t.test('a process in a crash loop still ends when it is asked to', async t => {
  t.teardown(() => rmSync(BROKEN_FILE, { force: true }))
  const service = await startService({ entry, env: { ...env, GRACE_MS: '60000' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const ledger = new Caller(service.url)
  void ledger.send(slowBody(0, [MAGIC.breaks, MAGIC.breaks]))
  const behind = good(ledger)
  await eventually('a crash loop', async () => ((await scrape(service.url)).get(deaths) ?? 0) >= 3)
  await behind
  t.equal(await service.stop(), 0)
})
