import t from 'tap'
import { accounted, balanced } from '../support/balanced.js'
import { bodyOf, gru } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'

const LIMIT = 1_048_576 // haproxy.cfg's and the service's own
const bundle = gru()

t.test('through HAProxy a body at the limit is served, and one byte more is 413 every time', async t => {
  const stack = await balanced(t, { replicas: 1 })
  const { ledger } = stack
  const body = JSON.stringify(bodyOf(bundle, 0))
  const send = (bytes: number) => ledger.send(body.padEnd(bytes, ' '), { right: goldenAnswer(bundle, 0) })
  t.equal((await send(LIMIT)).status, 200)
  for (let sent = 0; sent < 20; sent++) {
    const { status, json } = await send(LIMIT + 1)
    t.equal(status, 413)
    t.match(json?.error, { code: 'body_too_large', retryable: false })
  }
  t.equal((await stack.stats()).servers.r1!.requests, 1, 'the replica never saw them')
  t.equal((await send(0)).status, 200)
  accounted(t, stack)
})
