import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { eventually } from '../../support/eventually.js'
import { underLoad } from '../../support/under-load.js'

/** Bytes of a body, from as it is to what still fits HAProxy's buffer. */
const BODY_SIZES = [0, 14_000, 16_384, 60_000]

t.test('a replica that is killed under load costs no caller anything, whatever the size of the body', async t => {
  const stack = await balanced(t)
  const { replicas } = stack
  await underLoad(t, stack, { callers: 16, sizes: BODY_SIZES }, async load => {
    await eventually('both serve', async () => {
      const { servers } = await stack.stats()
      return servers.r1!.ok > 50 && servers.r2!.sessions > 0
    })
    process.kill(replicas[1]!.pid, 'SIGKILL')
    await eventually('HAProxy shows it DOWN', async () => (await stack.stats()).servers.r2!.status === 'DOWN')
    await load.answered(200)
  })
  const { retries, redispatches } = await stack.stats()
  t.ok(retries + redispatches > 0, 'requests that it had were sent to the other one')
  accounted(t, stack)
})
