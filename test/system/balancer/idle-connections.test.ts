import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { openIdle } from '../../support/idle-connections.js'
import { Ledger } from '../../support/ledger.js'
import { rawGet } from '../../support/raw-socket.js'
import { repeat, underLoad } from '../../support/under-load.js'

const KEPT = 2000
const MANY = 3900
const CALLERS = 8
const bundle = gru()

const haproxyEnv = { LB_MAXCONN: `${KEPT}`, LB_CLIENT_TIMEOUT: '5s', LB_REQUEST_TIMEOUT: '5s' }
const stack = await balanced(t, { haproxyEnv })
const connections = async () => (await stack.stats()).frontendSessions

const IDLE: Record<string, string> = {
  'that never ask': '',
  'that have asked once': rawGet('/healthz')
}

for (const [what, request] of Object.entries(IDLE)) {
  t.test(`thousands of connections ${what} cost nobody who is connected to HAProxy; who comes later waits`, async t => {
    const late = new Ledger(stack.url)
    t.teardown(() => late.close())
    await underLoad(t, stack, { callers: CALLERS }, async load => {
      let most = 0
      const watch = repeat(1, async () => (most = Math.max(most, await connections())))
      const idle = await openIdle(stack.port, MANY, request).finally(watch)
      t.teardown(() => idle.close())
      t.equal(most, KEPT, 'HAProxy has had as many as it takes, and no more')
      const { status } = await late.send(bodyOf(bundle, 0), { right: goldenAnswer(bundle, 0) })
      t.same([status, late.wrong], [200, []], 'who comes later has its turn when idle ones are cut off')
      await load.answered(100)
      idle.close()
      await eventually('they are gone', async () => (await connections()) <= CALLERS + 1)
    })
  })
}

t.test('nothing else is lost, wrong or unhandled', async t => accounted(t, stack))
