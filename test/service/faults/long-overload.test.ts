import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const STEPS = 100
const CALLERS = 1200
const env = { DEADLINE_MS: '3000', MAX_STEPS: `${STEPS}` }

/** Rows that are run for each row that is answered: what is given up half-way is all that may be above 1. */
const MOST_RUN = 1.5

t.test(
  'when far more steps are asked for than can be run in time, those are run that somebody gets an answer from',
  t =>
    withService(t, { env }, async ({ service, ledger, before }) => {
      const right = (predictions: unknown[]) => predictions.length === STEPS
      // All at once and more than the time holds: each of them would end after its deadline if all were begun.
      const body = bodyOf(bundle, 0, STEPS)
      const all = await Promise.all(Array.from({ length: CALLERS }, () => ledger.send(body, { right })))
      const served = all.filter(({ status }) => status === 200)
      const refused = all.filter(({ status }) => status === 429)
      t.ok(served.length > 0, `${served.length} of ${CALLERS} are served`)
      t.ok(refused.length > 0, `${refused.length} are refused`)
      t.match(refused[0]?.json?.error, { code: 'queue_full', retryable: true })
      t.equal(refused[0]?.headers['retry-after'], '1')
      const lastServed = Math.max(...served.map(({ sent, t: took }) => sent + took))
      for (const { sent, t: took } of refused) t.ok(sent + took < lastServed, 'a refusal does not wait for the work')
      const executed = async () => grown('gru_rows_executed_total', before, await scrape(service.url))
      await eventually('no steps are left', async () => (await scrape(service.url)).get('gru_queue_steps') === 0)
      const run = await executed()
      t.ok(
        run <= MOST_RUN * served.length * STEPS,
        `${run} rows were run for ${served.length * STEPS} that were answered`
      )
      const again = await ledger.send(body, { right })
      t.equal(again.status, 200, 'whoever comes afterwards is served')
      return { executed: run - served.length * STEPS }
    })
)

t.test('beside a queue full of long forecasts one step is still answered', t =>
  withService(t, { env }, async ({ service, ledger, before }) => {
    const body = bodyOf(bundle, 0, STEPS)
    const long = Promise.all(Array.from({ length: CALLERS }, () => ledger.send(body)))
    const short = await Promise.all(Array.from({ length: 20 }, () => ledger.send(bodyOf(bundle, 1))))
    for (const { status } of short) t.equal(status, 200)
    const served = (await long).filter(({ status }) => status === 200).length
    await eventually('no steps are left', async () => (await scrape(service.url)).get('gru_queue_steps') === 0)
    const run = grown('gru_rows_executed_total', before, await scrape(service.url))
    return { executed: run - served * STEPS - short.length }
  })
)
