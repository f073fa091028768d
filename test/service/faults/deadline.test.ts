import t from 'tap'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const AT_ONCE = 50
// One row a batch: the slow one runs alone and everybody else waits behind it.
const env = { ...SLOW, BATCH_CAP: '1', DEADLINE_MS: '150', QUEUE_ROWS: '64' }

t.test('a request that waits past its deadline is answered 504 and never run', t =>
  withService(t, { env }, async ({ ledger }) => {
    const slow = ledger.send(slowBody(1000), { right: slowAnswer() })
    const late = await Promise.all(Array.from({ length: AT_ONCE }, () => ledger.send(slowBody(0))))
    const { t: slowTook, status } = await slow
    t.equal(status, 200, 'a run that has begun is not cut by the deadline')
    for (const { status, json, t: took } of late) {
      t.equal(status, 504)
      t.match(json?.error, { code: 'deadline_exceeded', retryable: true })
      t.ok(took < slowTook, 'the answer does not wait for the worker')
    }
    const { status: next } = await ledger.send(slowBody(0, [3, 5]), { right: slowAnswer([3, 5]) })
    t.equal(next, 200, 'the next request is served')
  })
)

const STEPS = 1000

t.test('a long forecast stops at its deadline', t =>
  // A step takes longer than the 20 us that each would have.
  withService(t, { env: { ...env, DEADLINE_MS: '20', MAX_STEPS: `${STEPS}` } }, async ({ service, ledger, before }) => {
    const long = await ledger.send({ ...slowBody(0), inference_length: STEPS })
    t.match(long, { status: 504, json: { error: { code: 'deadline_exceeded' } } })
    const executed = grown('gru_rows_executed_total', before, await scrape(service.url))
    t.ok(executed < STEPS, `${executed} steps were run`)
    return { executed }
  })
)
