import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import { underLoad } from '../../support/under-load.js'

const ROUNDS = 3

t.test('replicas can be restarted one after the other under load, and no caller notices', async t => {
  const stack = await balanced(t, { env: { DRAIN_DELAY_MS: '2000' } })
  const { replicas } = stack
  await underLoad(t, stack, {}, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, { name, child, pid }] of [...replicas.entries()]) {
        process.kill(pid, 'SIGTERM')
        t.equal(await child.exit, 0, `${name} ends well`)
        await stack.restart(index)
        const { requests } = (await stack.stats()).servers[name]!
        await eventually(`${name} serves again`, async () => {
          const { status, requests: now } = (await stack.stats()).servers[name]!
          return status === 'UP' && now > requests
        })
      }
    }
  })
  accounted(t, stack)
})
