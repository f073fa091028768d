import t, { type Test } from 'tap'
import { balanced, type Balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { largestTable } from '../../support/large-tables.js'
import { openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { SLOW, slowBody } from '../../support/slow-model.js'

/** ms that a run lasts at the least: so that there is time to look */
const RUN = 500

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const chunked = rawRequest('', { 'transfer-encoding': 'chunked' }).replace(/content-length: 0\r\n/, '')

const WHOLE = {
  'a forecast': rawRequest(body),
  'a forecast with the largest table': rawRequest(largestTable(bundle, 0)),
  'a body in chunks': `${chunked}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  'a question': 'GET /model HTTP/1.1\r\nhost: localhost\r\n\r\n',
  "HAProxy's own health": 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'HTTP/1.0': 'GET /predict_ping HTTP/1.0\r\n\r\n'
}

/** Sends bytes, closes the sending side, and resolves to all that came back. */
async function halfClosed({ port }: Balanced, bytes: string): Promise<string> {
  const { socket, closed } = await openRaw(port)
  socket.end(bytes)
  const text = await closed
  socket.destroy()
  return text
}

async function isAnswered(t: Test, stack: Balanced): Promise<void> {
  for (const [what, bytes] of Object.entries(WHOLE)) {
    t.match(await halfClosed(stack, bytes), /^HTTP\/1\.[01] 200 /, what)
  }
  for (const cut of [rawRequest(body), WHOLE['a forecast with the largest table']].map(whole => whole.slice(0, -1))) {
    t.notMatch(await halfClosed(stack, cut), / 200 /, 'what is not whole is not run')
  }
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`through ${name} a client that closes its sending side behind a whole request is answered`, async t => {
    await isAnswered(t, await balanced(t, { replicas: 1, program }))
  })

  t.test(`through ${name} such a client is answered when it has to wait for its place, too`, async t => {
    const env = { ...SLOW, BATCH_CAP: '1', DEADLINE_MS: '60000', RUN_TIMEOUT_MS: '60000' }
    const haproxyEnv = {
      LB_REPLICA_MAXCONN: '1',
      LB_QUEUE_TIMEOUT: '60s',
      LB_SERVER_TIMEOUT: '60s',
      LB_CLIENT_TIMEOUT: '60s'
    }
    const stack = await balanced(t, { replicas: 1, program, env, haproxyEnv })
    const first = halfClosed(stack, rawRequest(JSON.stringify(slowBody(RUN))))
    await eventually('it runs', async () => (await stack.stats()).servers.r1!.sessions === 1)
    const second = halfClosed(stack, rawRequest(JSON.stringify(slowBody(0))))
    await eventually('the other one waits', async () => (await stack.stats()).queued === 1)
    for (const text of await Promise.all([first, second])) t.same(statusesIn(text), [200])
  })
}
