import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { exchange, rawRequest } from '../../support/raw-socket.js'
import { sendBody } from '../../support/send-body.js'

const LIMIT = 262_144
const MOST = 16_777_216 // haproxy.cfg's LB_BODY_LIMIT
const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`through ${name} a body at the limit is served, and a larger one is 413 every time`, async t => {
    const stack = await balanced(t, { replicas: 1, program, env: { BODY_LIMIT_BYTES: `${LIMIT}` } })
    const { ledger, port } = stack
    const right = goldenAnswer(bundle, 0)
    t.equal((await ledger.send(body.padEnd(LIMIT), { right })).status, 200)
    t.equal(await sendBody({ port, bytes: body.padEnd(LIMIT), inChunks: true }), 200)
    const over = await ledger.send(body.padEnd(LIMIT + 1))
    t.match(over, { status: 413, json: { error: { code: 'body_too_large', retryable: false } } })
    for (const bytes of [LIMIT + 1, 1_000_000, 10_000_000].map(size => body.padEnd(size))) {
      for (const inChunks of [false, true]) {
        const answers: (number | string)[] = []
        for (let sent = 0; sent < 20; sent++) answers.push(await sendBody({ port, bytes, inChunks }))
        t.same(answers, Array(20).fill(413), `${bytes.length} bytes, ${inChunks ? 'in chunks' : 'with their length'}`)
      }
    }
    const { requests } = (await stack.stats()).servers.r1!
    const huge = await exchange(port, rawRequest(body.padEnd(100_000), { 'content-length': `${MOST + 1}` }))
    t.match(huge, /^HTTP\/1\.1 413 .*"code":"body_too_large"/s, 'what no replica would read to its end')
    t.equal((await stack.stats()).servers.r1!.requests, requests, 'is not sent to one')
    t.equal((await ledger.send(body, { right })).status, 200)
    accounted(t, stack)
  })
}
