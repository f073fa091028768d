import t from 'tap'
import { scaleTo } from '../../../src/bench/stack/scale.js'
import { accounted, balanced, type Balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { largestTable } from '../../support/large-tables.js'
import { underLoad } from '../../support/under-load.js'

const bundle = gru()
const right = goldenAnswer(bundle, 0)

const allDown = ({ stats, replicas }: Balanced) =>
  eventually('the checks have taken every replica out', async () => {
    const { servers } = await stats()
    return replicas.every(({ name }) => servers[name]!.status === 'DOWN')
  })

/** What HAProxy says of itself. */
async function health({ url }: Balanced): Promise<[number, unknown]> {
  const answer = await fetch(`${url}/healthz`)
  return [answer.status, await answer.json()]
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(
    `behind ${name} replicas that all stood still serve as soon as they go on, before a check says so`,
    async t => {
      const stack = await balanced(t, { program, haproxyEnv: { LB_SERVER_TIMEOUT: '60s', LB_QUEUE_TIMEOUT: '60s' } })
      const { ledger, replicas } = stack
      const each = (signal: NodeJS.Signals) => replicas.forEach(({ pid }) => void process.kill(pid, signal))
      t.teardown(() => each('SIGCONT'))
      each('SIGSTOP')
      await allDown(stack)
      t.same(await health(stack), [200, { status: 'last_resort', replicas: 0 }])
      const waiting = [bodyOf(bundle, 0), largestTable(bundle, 0)].map(body => ledger.send(body, { right }))
      await eventually('they are with the replicas', async () => {
        const { servers } = await stack.stats()
        return servers.r1!.sessions + servers.r2!.sessions === waiting.length
      })
      each('SIGCONT')
      await Promise.all([ledger.send(bodyOf(bundle, 0), { right }), ...waiting])
      await eventually('HAProxy shows both UP', async () => {
        const { servers } = await stack.stats()
        return servers.r1!.status === 'UP' && servers.r2!.status === 'UP'
      })
      t.same(await health(stack), [200, { status: 'live', replicas: 2 }])
      t.same(ledger.statuses, { 200: ledger.entries.length })
      accounted(t, stack)
    }
  )

  t.test(
    `behind ${name} replicas that all fail their checks but answer go on serving, also when one is killed`,
    async t => {
      // For so long they answer after SIGTERM, and say that they are not ready.
      const env = { DRAIN_DELAY_MS: '300000', GRACE_MS: '600000' }
      const stack = await balanced(t, { program, env })
      const { ledger, replicas } = stack
      await underLoad(t, stack, {}, async load => {
        for (const { pid } of replicas) process.kill(pid, 'SIGTERM')
        await allDown(stack)
        await load.answered(100)
        t.equal((await ledger.send(largestTable(bundle, 0), { right })).status, 200, 'large tables, too')
        process.kill(replicas[1]!.pid, 'SIGKILL')
        await replicas[1]!.child.exit
        await load.answered(100)
      })
      process.kill(replicas[0]!.pid, 'SIGKILL')
      t.same(ledger.statuses, { 200: ledger.entries.length })
      accounted(t, stack)
    }
  )

  t.test(
    `behind ${name} a replica in maintenance is no last resort, and where there is none callers are told at once`,
    async t => {
      const haproxyEnv = { LB_QUEUE_TIMEOUT: '600s', LB_CLIENT_TIMEOUT: '600s' }
      const stack = await balanced(t, { program, haproxyEnv })
      const { ledger, replicas, haproxy } = stack
      await scaleTo(haproxy.api, replicas, 1)
      const { requests } = (await stack.stats()).servers.r2!
      process.kill(replicas[0]!.pid, 'SIGKILL')
      await eventually('nobody is left', async () => (await health(stack))[0] === 503)
      t.same(await health(stack), [503, { status: 'no_replica', replicas: 0 }])
      for (const body of [bodyOf(bundle, 0), largestTable(bundle, 0)]) {
        const { status, headers, json } = await ledger.send(body)
        t.match([status, headers['retry-after'], json?.error], [503, '1', { code: 'no_replica', retryable: true }])
      }
      t.equal((await stack.stats()).servers.r2!.requests, requests, 'it got nothing')
      accounted(t, stack)
    }
  )
}
