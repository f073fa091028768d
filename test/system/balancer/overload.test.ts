import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { accounted, answered, balanced, type Balanced, scrapeAll } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import type { Entry } from '../../support/ledger.js'
import { residentMb } from '../../support/process-facts.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'

const OVERLOAD = 10
const SECONDS = 30
/** ms that a forecast runs: so the load generator is no part of what is overloaded */
const WORK = 50
const QUEUE_TIMEOUT = 1000
/** ms; longer than the rows that may wait take even on a busy machine, so that who is let in is served */
const DEADLINE = 5000

const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '4', DEADLINE_MS: `${DEADLINE}` }
const haproxyEnv = { LB_REPLICA_MAXCONN: '16', LB_QUEUE: '32', LB_QUEUE_TIMEOUT: `${QUEUE_TIMEOUT}ms` }

const send = ({ ledger }: Balanced) => ledger.send(slowBody(WORK), { right: slowAnswer() })

/** Forecasts a second that the replicas manage, from callers who each wait for their answer. */
async function capacity(stack: Balanced): Promise<number> {
  const began = performance.now()
  const caller = async () => {
    for (let sent = 0; sent < 15; sent++) await send(stack)
  }
  await Promise.all(Array.from({ length: 4 }, caller))
  return (4 * 15) / ((performance.now() - began) / 1000)
}

/** Sends at a fixed rate for some seconds, whatever becomes of the requests; catches up after a stall. */
async function atRate(stack: Balanced, rate: number, seconds: number): Promise<Promise<Entry>[]> {
  const sent: Promise<Entry>[] = []
  const began = performance.now()
  while (sent.length < rate * seconds) {
    const due = Math.min(((performance.now() - began) / 1000) * rate, rate * seconds)
    while (sent.length < due) sent.push(send(stack))
    await pause(5)
  }
  return sent
}

const quantile = (entries: Entry[], share: number) =>
  entries.map(({ t: took }) => took).sort((a, b) => a - b)[Math.ceil(entries.length * share) - 1]!

t.test(
  'ten times the load that fits: served or refused at once, in bounded memory, and over when it is over',
  async t => {
    const stack = await balanced(t, { env, haproxyEnv })
    const { ledger, replicas } = stack
    const memory = () => replicas.reduce((sum, { pid }) => sum + residentMb(pid), residentMb(stack.haproxy.pid))
    const before = await scrapeAll(stack)
    const fits = await capacity(stack)
    t.same(ledger.statuses, { 200: ledger.entries.length }, 'what fits is served')
    const rate = OVERLOAD * fits
    const early = await atRate(stack, rate, SECONDS / 3)
    const settled = memory()
    const late = await atRate(stack, rate, (2 * SECONDS) / 3)
    const grownBy = memory() / settled
    const entries = await Promise.all([...early, ...late])
    const [served, refused] = [200, 429].map(wanted => entries.filter(({ status }) => status === wanted)) as [
      Entry[],
      Entry[]
    ]
    t.comment(`${rate.toFixed(0)} a second for ${SECONDS} s; ${fits.toFixed(0)} fit; memory ${grownBy.toFixed(2)} x`)
    t.comment(`P99 of 200 ${quantile(served, 0.99).toFixed(0)} ms, of 429 ${quantile(refused, 0.99).toFixed(0)} ms`)
    t.strictSame(
      Object.keys(ledger.statuses).filter(status => !['200', '429', '503'].includes(status)),
      []
    )
    t.ok(served.length > (fits * SECONDS) / 2, 'those who are let in are served at the usual pace')
    t.ok(quantile(served, 0.99) <= QUEUE_TIMEOUT + DEADLINE + 10 * WORK, 'within the two limits of waiting')
    t.ok(quantile(refused, 0.5) < quantile(served, 0.5), 'a refusal takes less than a place')
    t.ok(grownBy < 1.2, 'memory does not grow with what is refused')
    await eventually('nobody waits any more', async () => (await stack.stats()).queued === 0)
    const calm = ledger.entries.length
    await capacity(stack)
    t.same(
      ledger.entries.slice(calm).filter(({ status }) => status !== 200),
      [],
      'nobody is refused afterwards'
    )
    const counted = answered(before, await scrapeAll(stack))
    t.equal(counted[200], ledger.statuses[200], 'the metrics equal the ledger')
    accounted(t, stack)
  }
)
