import t from 'tap'
import { accounted, answered, balanced, scrapeAll } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, type Scrape } from '../../support/scrape.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const env = { ...SLOW, BATCH_CAP: '1', DEADLINE_MS: '60000', RUN_TIMEOUT_MS: '60000' }
/** ms that a run lasts at the least: the most that the model takes */
const RUN = 1000
/** Far less than a run takes on any machine. */
const QUEUE_TIMEOUT = 200

t.test('with all slots taken so many wait and no more, and none waits for longer than the limit', async t => {
  const haproxyEnv = {
    LB_REPLICA_MAXCONN: '1',
    LB_QUEUE: '10',
    LB_QUEUE_TIMEOUT: `${QUEUE_TIMEOUT}ms`,
    LB_SERVER_TIMEOUT: '60s'
  }
  const stack = await balanced(t, { env, haproxyEnv })
  const { ledger } = stack
  const before = await scrapeAll(stack)
  // The runs outlast the time in the queue.
  await Promise.all(Array.from({ length: 30 }, () => ledger.send(slowBody(RUN), { right: slowAnswer() })))
  t.same(ledger.statuses, { 200: 2, 429: 18, 503: 10 })
  const of = (wanted: number) => ledger.entries.filter(({ status }) => status === wanted)
  for (const { headers, json } of of(429)) {
    t.match(json?.error, { code: 'queue_full', retryable: true })
    t.equal(headers['retry-after'], '1')
  }
  for (const { headers, json, t: took } of of(503)) {
    t.match(json?.error, { code: 'no_replica', retryable: true })
    t.equal(headers['retry-after'], '1')
    t.ok(took >= QUEUE_TIMEOUT - 100, `it waited for its time, ${took.toFixed(0)} ms`)
  }
  const end = ({ sent, t: took }: { sent: number; t: number }) => sent + took
  t.ok(Math.max(...of(429).map(end)) < Math.min(...of(503).map(end)), 'refusals come at once')
  t.ok(Math.max(...of(503).map(end)) < Math.min(...of(200).map(end)), 'nobody waits for a slot for ever')
  t.comment(`429 within ${Math.max(...of(429).map(({ t: took }) => took)).toFixed(0)} ms`)
  t.same(answered(before, await scrapeAll(stack)), { 200: 2 }, 'the replicas never saw the others')
  accounted(t, stack)
})

t.test('callers who hang up while they wait are run by no replica, and their slots are free again', async t => {
  const [callers, slots, long] = [100, 8, 5]
  const haproxyEnv = { LB_REPLICA_MAXCONN: `${slots}`, LB_QUEUE_TIMEOUT: '60s', LB_SERVER_TIMEOUT: '60s' }
  const stack = await balanced(t, { replicas: 1, env, haproxyEnv })
  const { ledger, port } = stack
  const before = (await scrapeAll(stack))[0]!
  const inFlight = (scraped: Scrape) => scraped.get('gru_requests_in_flight')
  // They run one after the other, so that there is time to look.
  const slow = Array.from({ length: long }, () => ledger.send(slowBody(RUN), { right: slowAnswer() }))
  await eventually('they are in', async () => inFlight((await scrapeAll(stack))[0]!) === long)
  const sockets = await Promise.all(Array.from({ length: callers }, () => openRaw(port)))
  for (const { socket } of sockets) socket.write(rawRequest(JSON.stringify(slowBody(1))))
  await eventually('all wait', async () => (await stack.stats()).queued === callers - (slots - long))
  for (const { socket } of sockets) socket.resetAndDestroy()
  await eventually('HAProxy has let them go', async () => {
    const { queued, servers } = await stack.stats()
    return queued === 0 && servers.r1!.sessions <= long
  })
  for (const { status } of await Promise.all(slow)) t.equal(status, 200)
  const next = await Promise.all(Array.from({ length: 20 }, () => ledger.send(slowBody(0), { right: slowAnswer() })))
  for (const { status } of next) t.equal(status, 200, 'every slot is free again')
  const after = (await scrapeAll(stack))[0]!
  t.equal(grown('gru_rows_executed_total', before, after), long + 20, 'only who still waited for an answer was run')
  // A slot that one leaves is taken by one who waits and has yet to hang up.
  const cancelled = grown('gru_rows_cancelled_total', before, after)
  t.ok(cancelled >= slots - long, `those who were with the replica, ${cancelled}, were let go`)
  accounted(t, stack)
})
