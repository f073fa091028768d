import t from 'tap'
import { startReplica } from '../../../src/bench/stack/replica.js'
import { scaleTo } from '../../../src/bench/stack/scale.js'
import { accounted, admitAt, answered, balanced, scrapeAll } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import { freePorts } from '../../support/servers/ports.js'
import { underLoad } from '../../support/under-load.js'

t.test('scaling from 1 to 8 and back under load costs no caller anything', async t => {
  const stack = await balanced(t, { replicas: 8, haproxyEnv: { LB_BALANCE: 'leastconn' } })
  const { ledger, replicas, haproxy } = stack
  await scaleTo(haproxy.api, replicas, 1)
  const before = await scrapeAll(stack)
  await underLoad(t, stack, { callers: 16 }, async () => {
    for (const count of [1, 8, 4, 1]) {
      await scaleTo(haproxy.api, replicas, count)
      const { servers: then } = await stack.stats()
      const grown = async () => {
        const { servers } = await stack.stats()
        return replicas.map(({ name }) => servers[name]!.requests - then[name]!.requests)
      }
      await eventually(`${count} serve`, async () => (await grown()).slice(0, count).every(more => more > 10))
      t.same((await grown()).slice(count), Array(8 - count).fill(0), `no more than ${count} serve`)
    }
  })
  t.same(ledger.statuses, { 200: ledger.entries.length })
  t.same(answered(before, await scrapeAll(stack)), ledger.statuses, 'the metrics equal the ledger')
  accounted(t, stack)
})

t.test('a new replica gets no request before its model is ready', async t => {
  const stack = await balanced(t, { replicas: 1, haproxyEnv: { LB_BALANCE: 'roundrobin' } })
  const { ledger } = stack
  await underLoad(t, stack, {}, async load => {
    const [port] = (await freePorts(1)) as [number]
    await admitAt(stack, 'r2', port)
    await load.answered(200)
    const { servers, retries, redispatches } = await stack.stats()
    t.match(servers.r2, { status: 'DOWN', requests: 0 })
    t.same([retries, redispatches], [0, 0], 'no request was tried on it')
    const late = await startReplica({ name: 'r2', port })
    t.teardown(() => late.child.stop(20_000))
    await eventually('it has its share', async () => (await stack.stats()).servers.r2!.requests > 50)
  })
  const end = await stack.stats()
  t.same([end.retries, end.redispatches], [0, 0], 'no request was tried too early')
  t.same(ledger.statuses, { 200: ledger.entries.length })
  accounted(t, stack)
})
