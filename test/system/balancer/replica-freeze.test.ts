import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import { underLoad } from '../../support/under-load.js'

const MAXCONN = 4

t.test('a frozen replica holds no more callers than its slots, and comes back without a word', async t => {
  const stack = await balanced(t, { haproxyEnv: { LB_REPLICA_MAXCONN: `${MAXCONN}`, LB_SERVER_TIMEOUT: '10s' } })
  const { ledger, replicas } = stack
  let stuck = 0
  await underLoad(t, stack, { callers: 16, allowed: [504] }, async load => {
    t.teardown(() => process.kill(replicas[1]!.pid, 'SIGCONT'))
    await eventually('both serve', async () => {
      const { servers } = await stack.stats()
      return servers.r1!.ok > 50 && servers.r2!.sessions > 0
    })
    process.kill(replicas[1]!.pid, 'SIGSTOP')
    const status = async () => (await stack.stats()).servers.r2!.status
    await eventually('HAProxy shows it DOWN', async () => (await status()) === 'DOWN')
    const { requests } = (await stack.stats()).servers.r2!
    await load.answered(200)
    await eventually('nobody waits for it any more', async () => (await stack.stats()).servers.r2!.sessions === 0)
    t.equal((await stack.stats()).servers.r2!.requests, requests, 'nothing is sent to a server that is DOWN')
    process.kill(replicas[1]!.pid, 'SIGCONT')
    await eventually('HAProxy shows it UP', async () => (await status()) === 'UP')
    stuck = ledger.statuses[504] ?? 0
    await eventually('it serves again', async () => (await stack.stats()).servers.r2!.requests > requests + 100)
  })
  t.ok(stuck >= 1 && stuck <= MAXCONN, `${stuck} were stuck`)
  t.same(ledger.statuses, { 200: ledger.entries.length - stuck, 504: stuck })
  t.equal(ledger.count('replica_timeout'), stuck, 'in the shape of every error')
  accounted(t, stack)
})
