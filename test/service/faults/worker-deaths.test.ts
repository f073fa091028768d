import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { buildFaulty, MAGIC } from '../../support/faulty-build.js'
import type { Entry, Ledger } from '../../support/ledger.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const entry = await buildFaulty(t.testdir())
const env = { ...SLOW, BATCH_CAP: '4', DEADLINE_MS: '20000' }
const options = { entry, env }

const good = (ledger: Ledger, level: number) => {
  return ledger.send(slowBody(0, [level, level]), { right: slowAnswer([level, level]) })
}

/** Good requests with a bad one among them, all of which gather behind a slow run. */
async function among(ledger: Ledger, url: string, level: number): Promise<{ bad: Entry; others: Entry[] }> {
  const slow = ledger.send(slowBody(400), { right: slowAnswer() })
  await eventually('the slow one is in', async () => (await scrape(url)).get('gru_queue_depth') === 1)
  const before = [1, 2, 3, 4, 5].map(level => good(ledger, level))
  const bad = ledger.send(slowBody(0, [level, level]))
  const after = [6, 7, 8, 9, 10, 11, 12].map(level => good(ledger, level))
  return { bad: await bad, others: await Promise.all([slow, ...before, ...after]) }
}

const deaths = 'gru_worker_deaths_total'

async function diesWith(t: Test, level: number): Promise<void> {
  await withService(t, options, async ({ service, ledger, before }) => {
    const { bad, others } = await among(ledger, service.url, level)
    t.match(bad, { status: 500, json: { error: { code: 'worker_failed', retryable: true } } })
    const failed = others.filter(({ status }) => status !== 200)
    t.ok(failed.length < 4, `${failed.length} were in the same batch`)
    for (const { json } of failed) t.equal(json?.error?.code, 'worker_failed')
    t.equal((await good(ledger, 50)).status, 200, 'a successor serves')
    t.equal(grown(deaths, before, await scrape(service.url)), 1)
    await eventually('it is ready again', async () => (await fetch(`${service.url}/readyz`)).ok)
  })
}

t.test('a worker that exits fails its batch alone, and is replaced', t => diesWith(t, MAGIC.exits))

t.test('a worker whose heap is full fails its batch alone, and is replaced', t => diesWith(t, MAGIC.exhausts))

t.test('a row that a run fails for fails alone: its neighbours are answered', t =>
  withService(t, options, async ({ service, ledger, before }) => {
    for (const level of [MAGIC.throws, MAGIC.shortens]) {
      const { bad, others } = await among(ledger, service.url, level)
      t.match(bad, { status: 500, json: { error: { code: 'worker_failed' } } })
      for (const { status } of others) t.equal(status, 200)
    }
    t.equal(grown(deaths, before, await scrape(service.url)), 0, 'nobody died')
    return { executed: 2 }
  })
)

t.test('a forecast that is no number is a 500, not an answer', t =>
  withService(t, options, async ({ ledger }) => {
    const { status, json } = await ledger.send(slowBody(0, [MAGIC.spoils, MAGIC.spoils]))
    t.equal(status, 500)
    t.equal(json?.error?.code, 'invalid_forecast')
    t.equal((await good(ledger, 50)).status, 200)
    return { executed: 1 }
  })
)
