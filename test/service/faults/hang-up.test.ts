import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'
import { unreadPipelines } from '../../support/unread.js'

const CALLERS = 100
const SLOTS = 128
/** Requests that one caller who does not read sends in one go. */
const LONG = 4
const COUNT = (status: string) => `gru_request_duration_seconds_count{route="/predict",status="${status}"}`
const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: `${SLOTS}` }

t.test('callers who hang up while they wait are not run, and their slots are free again', t =>
  // So long that even at the rate of the slow run all would end in time: admission cannot know that the next ones are quick.
  withService(t, { env: { ...env, DEADLINE_MS: '86400000' } }, async ({ service, ledger, before }) => {
    const slow = ledger.send(slowBody(1000), { right: slowAnswer() })
    const callers = await Promise.all(Array.from({ length: CALLERS }, () => openRaw(service.port)))
    for (const { socket } of callers) socket.write(rawRequest(JSON.stringify(slowBody(0))))
    await eventually('all wait', async () => (await scrape(service.url)).get('gru_queue_depth') === CALLERS + 1)
    for (const { socket } of callers) socket.resetAndDestroy()
    await eventually('all hang-ups are counted', async () => {
      return grown('gru_rows_cancelled_total', before, await scrape(service.url)) === CALLERS
    })
    t.equal((await slow).status, 200)
    await eventually('no slot is taken', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 0)
    const next = await Promise.all(
      Array.from({ length: SLOTS }, () => ledger.send(slowBody(0), { right: slowAnswer() }))
    )
    for (const { status } of next) t.equal(status, 200)
    return { cancelled: CALLERS, hungUp: CALLERS }
  })
)

t.test('the result of a run whose caller hung up is dropped', t =>
  // Not ready is how one sees from outside that the run has begun.
  withService(t, { env: { ...env, RUN_TIMEOUT_MS: '100' } }, async ({ service, ledger, before }) => {
    const ready = async () => (await fetch(`${service.url}/readyz`)).ok
    const caller = await openRaw(service.port)
    caller.socket.write(rawRequest(JSON.stringify(slowBody(1000))))
    await eventually('it runs', async () => !(await ready()))
    caller.socket.resetAndDestroy()
    await eventually('the hang-up is counted', async () => {
      return grown('gru_rows_cancelled_total', before, await scrape(service.url)) === 1
    })
    await eventually('the run is over', ready)
    t.equal((await ledger.send(slowBody(0, [7, 9]), { right: slowAnswer([7, 9]) })).status, 200)
    return { executed: 1, cancelled: 1, hungUp: 1 }
  })
)

t.test('a caller who hangs up with answers unread takes nothing from whoever has its slot now', t =>
  withService(
    t,
    { env: { ...env, BATCH_CAP: '16', MAX_STEPS: '1000', DEADLINE_MS: '86400000' } },
    async ({ service, ledger, before }) => {
      // More than the sockets' buffers hold, so that the last answers stay behind unsent.
      const long = JSON.stringify({ ...slowBody(0), inference_length: 1000 })
      const deaf = await unreadPipelines(service.port, rawRequest(long).repeat(LONG), CALLERS / LONG)
      const executed = CALLERS * 1000
      await eventually(
        'the forecasts are made',
        async () => {
          return grown('gru_rows_executed_total', before, await scrape(service.url)) === executed
        },
        120_000
      )
      const heirs = Array.from({ length: SLOTS }, (_, heir) =>
        ledger.send(slowBody(heir === 0 ? 1000 : 0), { right: slowAnswer() })
      )
      await eventually(
        'others have every slot',
        async () => (await scrape(service.url)).get('gru_requests_in_flight') === SLOTS
      )
      for (const socket of deaf) socket.resetAndDestroy()
      for (const { status } of await Promise.all(heirs)) t.equal(status, 200)
      // Whether an answer that stayed behind counts as given or as hung up on is the service's to say; none may be missed.
      const after = await scrape(service.url)
      const answered = grown(COUNT('200'), before, after) - SLOTS
      for (let answer = 0; answer < answered; answer++) ledger.book(200)
      return { executed, hungUp: grown(COUNT('499'), before, after) }
    }
  )
)
