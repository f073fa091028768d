import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { openFiles, residentMb } from '../../support/process-facts.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { withService } from '../../support/shared-service.js'
import { trickle } from '../../support/slow-senders.js'
import { underLoad } from '../../support/under-load.js'

const bundle = gru()
const TIMEOUT_MS = 500
const CHECK_MS = 1000 // between two looks for slow connections

t.test('a client that is slow with its headers or its body is answered 408 and cut off; others notice nothing', t =>
  withService(t, { env: { REQUEST_TIMEOUT_MS: `${TIMEOUT_MS}` } }, async ({ service, ledger }) => {
    const began = performance.now()
    const files = openFiles(service.process.pid!)
    const slow = await Promise.all(Array.from({ length: 200 }, () => openRaw(service.port)))
    const request = rawRequest(JSON.stringify(bodyOf(bundle, 0)))
    const body = request.indexOf('\r\n\r\n') + 4
    slow.forEach((raw, index) => {
      if (index % 2 === 0) return trickle(raw, request)
      raw.socket.write(request.slice(0, body))
      trickle(raw, request.slice(body))
    })
    const answers = Promise.all(slow.map(({ closed }) => closed))
    await underLoad(t, { ...service, ledger }, { callers: 1 }, () => answers)
    const took = performance.now() - began
    for (const text of await answers) t.match(text, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s)
    t.ok(took >= TIMEOUT_MS && took < 5 * (TIMEOUT_MS + CHECK_MS), 'at the timeout and the next look')
    // They have been told, and go on sending.
    await eventually('no connection is kept for them', () => openFiles(service.process.pid!) <= files + 2, 10_000)
    for (const { socket } of slow) socket.destroy()
    return { hungUp: slow.length / 2 }
  })
)

t.test(
  'a connection that never began a request is closed without an answer, which the first one would be taken for',
  t =>
    withService(t, { env: { REQUEST_TIMEOUT_MS: `${TIMEOUT_MS}` } }, async ({ service }) => {
      const idle = await Promise.all(Array.from({ length: 20 }, () => openRaw(service.port)))
      for (const { socket, closed } of idle) {
        t.equal(await closed, '')
        socket.destroy()
      }
    })
)

t.test('a client that never reads costs bounded memory and is cut off; others notice nothing', t =>
  withService(
    t,
    { nodeArgs: ['--max-old-space-size=96'], env: { SOCKET_TIMEOUT_MS: '1500', REQUEST_TIMEOUT_MS: '600000' } },
    async ({ service, ledger }) => {
      const requests = 'GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(100)
      const deaf = await Promise.all(Array.from({ length: 4 }, () => openRaw(service.port)))
      const gone = Promise.all(
        deaf.map(({ socket }) => {
          socket.pause()
          return new Promise<void>(resolve => {
            // Its own bytes are not taken any more at some point; then the service ends the connection.
            const write = () => void (!socket.destroyed && socket.write(requests, () => setImmediate(write)))
            write()
            socket.once('close', resolve)
          })
        })
      )
      let most = 0
      const look = setInterval(() => (most = Math.max(most, residentMb(service.process.pid!))), 50)
      await underLoad(t, { ...service, ledger }, { callers: 1 }, () => gone)
      clearInterval(look)
      t.ok(most < 400, `at most ${Math.round(most)} MiB were in use`)
    }
  )
)
