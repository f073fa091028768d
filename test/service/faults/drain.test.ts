import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { Ledger } from '../../support/ledger.js'
import { openRaw, type RawSocket } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { type Service, startService } from '../../support/service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'
import { unhandled } from '../../support/unhandled.js'

const IN_FLIGHT = 24
const env = { ...SLOW, BATCH_CAP: '4', DEADLINE_MS: '20000', GRACE_MS: '30000', DRAIN_DELAY_MS: '1000' }

/** A connection that has had an answer and is kept by both sides. */
async function idle(service: Service): Promise<RawSocket> {
  const raw = await openRaw(service.port)
  raw.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await eventually('the answer', () => raw.text().endsWith('}'))
  return raw
}

async function start(t: Test, settings: Record<string, string>): Promise<{ service: Service; ledger: Ledger }> {
  const service = await startService({ env: settings })
  t.teardown(() => service.process.kill('SIGKILL'))
  return { service, ledger: new Ledger(service.url) }
}

t.test('SIGTERM: not ready at once, everything in flight or still coming is answered, then exit 0', async t => {
  const { service, ledger } = await start(t, env)
  const kept = await Promise.all([idle(service), idle(service), idle(service)])
  const running = Array.from({ length: IN_FLIGHT }, () => ledger.send(slowBody(300), { right: slowAnswer() }))
  await eventually('all are in', async () => (await scrape(service.url)).get('gru_requests_in_flight') === IN_FLIGHT)
  service.process.kill('SIGTERM')
  await service.line('stopping')
  const [ready, live, late] = await Promise.all([
    new Ledger(service.url).get('/readyz'),
    new Ledger(service.url).get('/healthz'),
    ledger.send(slowBody(0, [3, 5]), { right: slowAnswer([3, 5]) })
  ])
  t.match(ready, { status: 503, json: { status: 'not_ready' }, headers: { connection: 'close' } })
  t.equal(live.status, 200, 'it still lives')
  t.match(late, { status: 200, headers: { connection: 'close' } }, 'the load balancer has not noticed yet')
  for (const { status, headers } of await Promise.all(running)) {
    t.equal(status, 200)
    t.equal(headers.connection, 'close', 'no further request is invited')
  }
  for (const { closed, socket } of kept) {
    t.notMatch(await closed, /HTTP.*HTTP/s, 'idle connections are closed without a word')
    socket.destroy()
  }
  t.equal(await service.exit, 0)
  t.same([ledger.lost, ledger.wrong, unhandled(service)], [[], [], []])
})

t.test(
  'a request on a kept connection while the listener is closed already is answered, and told to close',
  async t => {
    const { service, ledger } = await start(t, { ...env, DRAIN_DELAY_MS: '0' })
    const slow = ledger.send(slowBody(1000), { right: slowAnswer() })
    await eventually('it is in', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
    const { socket, text, closed } = await openRaw(service.port)
    // Half a request keeps the connection from counting as idle.
    socket.write('GET /healthz HTTP/1.1\r\nhost: local')
    service.process.kill('SIGTERM')
    await eventually('the listener is closed', () =>
      openRaw(service.port).then(
        raw => void raw.socket.destroy(),
        () => true
      )
    )
    socket.write('host\r\n\r\n')
    await closed
    socket.destroy()
    t.match(text(), /^HTTP\/1\.1 200 .*connection: close/is)
    t.equal((await slow).status, 200)
    t.equal(await service.exit, 0)
  }
)

t.test('a second signal skips the delay', async t => {
  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT']
  ] as const) {
    const { service } = await start(t, { DRAIN_DELAY_MS: '100000', GRACE_MS: '200000' })
    service.process.kill(first)
    await service.line('stopping')
    service.process.kill(second)
    t.equal(await service.exit, 0, `${first}, ${second}`)
  }
})

t.test('a run that outlives the grace time ends the process by SIGKILL, never by an abort', async t => {
  const { service, ledger } = await start(t, { ...SLOW, DRAIN_DELAY_MS: '0', GRACE_MS: '200' })
  void ledger.send(slowBody(1000))
  await eventually('it is in', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
  service.process.kill('SIGTERM')
  t.equal(await service.exit, 'SIGKILL')
  t.match(service.lines.at(-1), 'GRACE_MS is over')
})
