import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { largestTable } from '../../support/large-tables.js'
import { sendBody } from '../../support/send-body.js'
import { slowLargeSenders } from '../../support/slow-senders.js'
import { underLoad } from '../../support/under-load.js'

const SLOW = 256
const bundle = gru()
const table = largestTable(bundle, 0)

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(
    `behind ${name} slow senders of large bodies cost others nothing, those with large tables neither`,
    async t => {
      const stack = await balanced(t, { program })
      const { ledger, port } = stack
      const slow = await slowLargeSenders(port, SLOW)
      t.teardown(() => slow.stop())
      await eventually('each has a place or waits for one', async () => {
        const { servers, queued } = await stack.stats()
        return servers.r1!.sessions + servers.r2!.sessions + queued >= SLOW
      })
      await underLoad(t, stack, { callers: 4 }, async () => {
        const large = async () => ledger.send(table, { right: goldenAnswer(bundle, 0) })
        for (let sent = 0; sent < 10; sent++) await large()
        t.same(await sendBody({ port, bytes: table, inChunks: true }), 200, 'in chunks, too')
        await eventually('the slow ones are cut off', () => (slow.statuses[408] ?? 0) >= SLOW, 60_000)
        await large()
      })
      t.same(ledger.statuses, { 200: ledger.entries.length }, 'nobody noticed')
      t.same(Object.keys(slow.statuses), ['408'], 'and they are told that they were too slow')
      accounted(t, stack)
    }
  )
}
