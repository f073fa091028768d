import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { gru } from '../../support/bundles.js'
import { BODY_SIZES, callers } from '../../support/callers.js'
import { eventually } from '../../support/eventually.js'

t.test('a replica that is killed under load costs no caller anything, whatever the size of the body', async t => {
  const stack = await balanced(t)
  const { ledger, replicas } = stack
  const load = callers(ledger, gru(), 16, BODY_SIZES)
  await eventually('both serve', async () => {
    const { servers } = await stack.stats()
    return servers.r1!.ok > 50 && servers.r2!.sessions > 0
  })
  process.kill(replicas[1]!.pid, 'SIGKILL')
  const killed = performance.now()
  const down = await eventually('HAProxy shows it DOWN', async () => {
    const { servers, ...counters } = await stack.stats()
    return servers.r2!.status === 'DOWN' && { ...counters, took: performance.now() - killed }
  })
  const before = ledger.entries.length
  await eventually('the other one goes on', () => ledger.entries.length > before + 200)
  await load.stop()
  t.comment(`DOWN after ${down.took.toFixed(0)} ms`)
  t.ok(down.took < 2000 * 5, 'the checks notice')
  const { retries, redispatches } = await stack.stats()
  t.ok(retries + redispatches > 0, 'requests that it had were sent to the other one')
  t.same(ledger.statuses, { 200: ledger.entries.length })
  accounted(t, stack)
})
