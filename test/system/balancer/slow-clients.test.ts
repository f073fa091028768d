import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { residentMb } from '../../support/process-facts.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { trickle } from '../../support/slow-senders.js'
import { underLoad } from '../../support/under-load.js'

const bundle = gru()
const REQUEST_TIMEOUT = 2000 // haproxy.cfg's own

t.test('HAProxy answers 408 to clients that are slow with headers or body; others notice nothing', async t => {
  const stack = await balanced(t, { replicas: 1 })
  const { ledger, port } = stack
  const began = performance.now()
  const slow = await Promise.all(Array.from({ length: 200 }, () => openRaw(port)))
  const request = rawRequest(JSON.stringify(bodyOf(bundle, 0)))
  const body = request.indexOf('\r\n\r\n') + 4
  slow.forEach((raw, index) => {
    if (index % 2 === 0) return trickle(raw, request)
    raw.socket.write(request.slice(0, body))
    trickle(raw, request.slice(body))
  })
  const answers = Promise.all(slow.map(({ closed }) => closed))
  await underLoad(t, stack, { callers: 1 }, () => answers)
  const took = performance.now() - began
  const texts = await answers
  const [headers, bodies] = [0, 1].map(half => texts.filter((_, index) => index % 2 === half)) as [string[], string[]]
  // Before it has headers, HAProxy has no request that haproxy.cfg's own answer could be for.
  for (const text of headers) t.match(text, /^HTTP\/1\.1 408 /)
  for (const text of bodies) t.match(text, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s)
  t.ok(took >= REQUEST_TIMEOUT && took < 10 * REQUEST_TIMEOUT, `at the timeout: ${took.toFixed(0)} ms`)
  for (const { socket } of slow) socket.destroy()
  const { servers } = await stack.stats()
  t.equal(servers.r1!.requests, ledger.entries.length, 'the replica never saw them')
  t.same(ledger.statuses, { 200: ledger.entries.length })
  accounted(t, stack)
})

t.test('a client that never reads is cut off at HAProxy in bounded memory; others notice nothing', async t => {
  const stack = await balanced(t, { replicas: 1, haproxyEnv: { LB_CLIENT_TIMEOUT: '1s' } })
  const { ledger, port, haproxy, replicas } = stack
  const requests = 'GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(100)
  const deaf = await Promise.all(Array.from({ length: 4 }, () => openRaw(port)))
  const gone = Promise.all(
    deaf.map(({ socket }) => {
      socket.pause()
      return new Promise<void>(resolve => {
        const write = () => void (!socket.destroyed && socket.write(requests, () => setImmediate(write)))
        write()
        socket.once('close', resolve)
      })
    })
  )
  let most = 0
  const look = setInterval(() => (most = Math.max(most, residentMb(haproxy.pid) + residentMb(replicas[0]!.pid))), 50)
  await underLoad(t, stack, { callers: 1 }, () => gone)
  clearInterval(look)
  t.ok(most < 400, `at most ${Math.round(most)} MiB were in use`)
  await eventually('no request is left', async () => (await stack.stats()).servers.r1!.sessions === 0)
  t.same(ledger.statuses, { 200: ledger.entries.length })
  accounted(t, stack)
})
