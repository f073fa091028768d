import { monotonicMs } from '../../src/clock.js'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { startFleet } from '../support/fleet.js'
import { moodyServer } from '../support/moody-server.js'

const PAUSE_MS = 1000

t.test('a request whose connection is closed in peace is lost, and the next one has its own latency', async t => {
  let answered = 0
  let closed = 0
  const server = await moodyServer(({ number, socket, answer }) => {
    if (number % 10 === 5 && closed < 2) {
      closed++
      setTimeout(() => socket.end(), PAUSE_MS)
      return
    }
    answered++
    answer(200, '{}')
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url })
  await eventually('two lost, and more answers', () => closed === 2 && answered > 100)
  const { ok, completed, lost, errors, latency } = await whole()
  t.same({ ok, completed, lost, errors }, { ok: answered, completed: answered, lost: 2, errors: {} })
  t.equal(latency.totalCount, answered)
  t.ok(latency.maxValue < PAUSE_MS * 1000, 'nobody waited as long as the lost ones: every answer came at once')
})

t.test('requests in flight at the end are waited for and counted', async t => {
  const server = await moodyServer(({ answer }) => setTimeout(() => answer(200, '{}'), PAUSE_MS))
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, users: 7 })
  await eventually('seven in flight', () => server.asked === 7)
  const { ok, lost, errors } = await whole()
  t.same({ ok, lost, errors, asked: server.asked }, { ok: 7, lost: 0, errors: {}, asked: 7 })
})

t.test('an answer that is not 2xx has its status, no latency, and is none of the good ones', async t => {
  const sent: Record<string, number> = { 200: 0, 503: 0, 429: 0 }
  const server = await moodyServer(({ number, answer }) => {
    const status = number % 5 === 0 ? 503 : number % 5 === 1 ? 429 : 200
    sent[status]!++
    answer(status, '{}')
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, users: 3 })
  await eventually('hundred answers', () => server.asked > 100)
  const { statuses, ok, completed, latency } = await whole()
  t.same(statuses, sent)
  t.same([ok, completed], [sent[200], server.asked])
  t.equal(latency.totalCount, sent[200])
})

t.test('latencies are microseconds, not whole milliseconds', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url })
  await eventually('hundred answers', () => server.asked > 100)
  const { latency } = await whole()
  const fractions = [1, 10, 30, 50, 70, 90].filter(share => latency.getValueAtPercentile(share) % 1000 !== 0)
  t.not(fractions.length, 0)
})

t.test('a target that refuses connections is tried ever more seldom, and each try is an error', async t => {
  const server = await moodyServer(() => undefined)
  await server.close()
  const began = monotonicMs()
  const { whole, fleet, recorder } = startFleet({ url: server.url })
  let seen = 0
  await eventually('four tries', async () => {
    seen += (await recorder.second(0)).errors.ECONNREFUSED ?? 0
    return seen >= 4
  })
  const tookMs = monotonicMs() - began
  t.equal(fleet.connections, 0)
  const { errors, ok } = await whole()
  t.equal(ok, 0)
  t.same(Object.keys(errors), ['ECONNREFUSED'])
  // Pauses of 20, 40 and 80 ms lie between four tries; a timer may be early by less than one.
  t.ok(tookMs >= 20 + 40 + 80 - 3, 'it paused for 140 ms in all')
})

t.test('a request without an answer in time is a timeout, and its late answer belongs to nobody', async t => {
  const server = await moodyServer(({ number, answer }) => {
    if (number === 1) setTimeout(() => answer(200, '{}'), 400)
    else if (number > 2) answer(200, '{}')
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, timeoutMs: 200 })
  await eventually('answers after two timeouts', () => server.asked > 50)
  const { errors, ok, lost } = await whole()
  t.same({ errors, ok, lost }, { errors: { timeout: 2 }, ok: server.asked - 2, lost: 0 })
})

t.test('a reset is an error with its name; a server that closes after each answer loses nothing', async t => {
  let resets = 0
  const server = await moodyServer(({ number, socket, answer }) => {
    if (number === 10) {
      resets++
      socket.resetAndDestroy()
      return
    }
    answer(200, '{}', 'connection: close\r\n')
    socket.end()
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url })
  await eventually('thirty requests', () => server.asked > 30)
  const { errors, ok, lost } = await whole()
  t.same({ errors, ok, lost }, { errors: { ECONNRESET: resets }, ok: server.asked - resets, lost: 0 })
})

t.test('an answer that breaks off is lost, and the next connection starts with a clean sheet', async t => {
  const server = await moodyServer(({ number, socket, answer }) => {
    if (number === 3) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of it')
    else if (number === 6) socket.end('HTTP/1.1 200 OK\r\ncontent-le')
    else answer(200, '{}')
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, check: text => text === '{}' })
  await eventually('thirty requests', () => server.asked > 30)
  const { errors, ok, lost, checked, mismatched } = await whole()
  t.same({ errors, lost, mismatched }, { errors: {}, lost: 2, mismatched: 0 })
  t.same({ ok, checked }, { ok: server.asked - 2, checked: server.asked - 2 })
})

t.test('every body is sent; an answer that differs from what its body should get is counted', async t => {
  const seen: Record<string, number> = {}
  const server = await moodyServer(({ body, answer }) => {
    seen[body] = (seen[body] ?? 0) + 1
    answer(200, body === 'two' ? 'wrong' : body)
  })
  t.teardown(server.close)
  const bodies = ['one', 'two', 'three']
  const { whole } = startFleet({ url: server.url, bodies, check: (text, body) => text === bodies[body] })
  await eventually('sixty requests', () => server.asked > 60)
  const { checked, mismatched, ok } = await whole()
  t.same(Object.keys(seen).sort(), [...bodies].sort())
  t.same({ checked, mismatched, ok }, { checked: server.asked, mismatched: seen.two, ok: server.asked })
})

t.test('one answer in fifty is checked', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, checkEvery: 50, check: () => true })
  await eventually('many requests', () => server.asked > 500)
  const { checked } = await whole()
  t.equal(checked, Math.floor(server.asked / 50))
})

t.test('a user thinks before the next request', async t => {
  const times: number[] = []
  const server = await moodyServer(({ answer }) => {
    times.push(monotonicMs())
    answer(200, '{}')
  })
  t.teardown(server.close)
  const { whole } = startFleet({ url: server.url, thinkMs: 60 })
  await eventually('five requests', () => server.asked >= 5)
  const { ok } = await whole()
  t.equal(ok, server.asked)
  t.ok(times[4]! - times[0]! >= 4 * 59, 'four pauses of 60 ms lie between five requests')
})
