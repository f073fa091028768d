import t, { type Test } from 'tap'
import { accounted, balanced, type Balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { expensiveBodies } from '../../support/expensive-bodies.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { Ledger } from '../../support/ledger.js'
import { exchange, statusesIn } from '../../support/raw-socket.js'
import { inChunksOf } from '../../support/tiny-chunks.js'
import { repeat, underLoad } from '../../support/under-load.js'

const LIMIT = 327_680 // BODY_LIMIT_BYTES by default
const SENDERS = 20
const bundle = gru()
const bodies = Object.values(expensiveBodies(bundle, LIMIT))
const chunks = inChunksOf(1, JSON.stringify(bodyOf(bundle, 0)).padEnd(LIMIT, ' '), { connection: 'close' })

/** Callers go on while `attack` lasts, and HAProxy finds every check of a replica passed. */
async function unnoticed(t: Test, stack: Balanced, attack: () => Promise<unknown>): Promise<void> {
  const seen = new Set<string>()
  await underLoad(t, stack, {}, async () => {
    const watch = repeat(1, async () => {
      const { servers } = await stack.stats()
      for (const { name } of stack.replicas) seen.add(servers[name]!.status)
    })
    await attack().finally(watch)
  })
  t.same([...seen], ['UP'], 'no replica is ever in doubt')
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(
    `behind ${name} twenty senders of expensive bodies, or of chunks of one byte, cost others nothing`,
    async t => {
      const stack = await balanced(t, { program })
      const attackers = new Ledger(stack.url)
      t.teardown(() => attackers.close())
      await unnoticed(t, stack, () => {
        const send = async (_: unknown, sender: number) => {
          for (let at = sender; at < bodies.length * 2; at += SENDERS) await attackers.send(bodies[at % bodies.length])
        }
        return Promise.all(Array.from({ length: SENDERS }, send))
      })
      t.same(Object.keys(attackers.statuses), ['200', '400'], 'each is answered, as it deserves')
      await unnoticed(t, stack, async () => {
        const send = async () => statusesIn(await exchange(stack.port, chunks))
        const statuses = await Promise.all(Array.from({ length: SENDERS }, send))
        t.same(statuses, Array(SENDERS).fill([200]), 'chunks of one byte are served')
      })
      accounted(t, stack)
    }
  )
}
