import t from 'tap'
import { Arrivals } from '../../src/bench/load/open-loop.js'
import { LoadRandom } from '../../src/bench/load/random.js'
import { measureRate } from '../../src/bench/slo/rate.js'
import { Fleet } from '../../src/bench/load/autocannon.js'
import { Recorder } from '../../src/bench/load/recorder.js'
import { eventually } from '../support/eventually.js'
import { moodyServer } from '../support/moody-server.js'

function openFleet(
  url: string,
  { users, ratePerSecond, timeoutMs = 60_000 }: Record<string, number> & { users: number }
) {
  const recorder = new Recorder()
  const draw = new LoadRandom({ seed: 7, bodies: 1, checkEvery: 50 })
  const arrivals = new Arrivals({ ratePerSecond: ratePerSecond!, timeoutMs, draw, recorder })
  const fleet = new Fleet({
    ...{ url, users, thinkMs: 0, timeoutMs, requests: [{ body: '{}' }] },
    read: () => ({ matched: undefined }),
    ...{ draw, recorder, arrivals }
  })
  return async () => {
    await fleet.drain()
    recorder.finish()
    return recorder.whole
  }
}

t.test('gaps between arrivals are exponential: their mean is 1 / rate, their standard deviation too', t => {
  const draw = new LoadRandom({ seed: 3, bodies: 1, checkEvery: 1 })
  const gaps = Array.from({ length: 40_000 }, () => draw.gapMs(0.2))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
  // 5 ms; four standard errors of the mean of 40,000 are 2 %, of the deviation 2.8 %.
  t.ok(Math.abs(mean / 5 - 1) < 0.02, `${mean}`)
  t.ok(Math.abs(deviation / 5 - 1) < 0.028, `${deviation}`)
  t.end()
})

t.test('latency begins at the planned time: a request that waited for a connection was slow', async t => {
  const SERVICE_MS = 20
  const server = await moodyServer(({ answer }) => setTimeout(() => answer(200, '{}'), SERVICE_MS))
  t.teardown(server.close)
  const end = openFleet(server.url, { users: 1, ratePerSecond: 500 })
  await eventually('thirty requests', () => server.asked >= 30)
  const { ok, latency, errors } = await end()
  t.equal(ok, server.asked)
  // The 30th arrival was planned after some 60 ms and could not be sent before 29 answers, 20 ms each: the median request
  // waited for about 15 of them, at the very least for 8, where one that is measured from its sending takes one.
  t.ok(latency.getValueAtPercentile(50) > 8 * SERVICE_MS * 1000, `${latency.getValueAtPercentile(50)} us`)
  t.ok(errors.dropped! > 0, 'arrivals that were due at the end and could not be sent are dropped, and shown')
})

t.test('at a constant 50 ms no latency is below 50 ms', async t => {
  const server = await moodyServer(({ answer }) => setTimeout(() => answer(200, '{}'), 51))
  t.teardown(server.close)
  const end = openFleet(server.url, { users: 20, ratePerSecond: 100 })
  await eventually('sixty requests', () => server.asked >= 60)
  const { latency, lost } = await end()
  t.equal(lost, 0)
  t.ok(latency.minNonZeroValue >= 49_000, `${latency.minNonZeroValue} us`)
})

t.test('an arrival that finds no connection in time is dropped', async t => {
  const recorder = new Recorder()
  const draw = new LoadRandom({ seed: 7, bodies: 1, checkEvery: 50 })
  const arrivals = new Arrivals({ ratePerSecond: 1000, timeoutMs: 100, draw, recorder })
  t.teardown(() => arrivals.stop())
  let dropped = 0
  await eventually('drops', async () => {
    dropped += (await recorder.second(0)).errors.dropped ?? 0
    return dropped > 10
  })
  t.ok(dropped > 10)
})

t.test('a measured rate has every arrival accounted for', async t => {
  const server = await moodyServer(({ number, answer }) => answer(number % 10 === 0 ? 503 : 200, '{}'))
  t.teardown(server.close)
  const trial = {
    order: {
      url: server.url,
      ...{ users: 8, loadWorkers: 2, thinkMs: 0, bodies: ['{}'], checkEvery: 50, seed: 1, timeoutMs: 5000 },
      ratePerSecond: 300
    },
    warmUpMs: 200,
    durationMs: 2000
  }
  const figures = await measureRate(trial, new AbortController().signal)
  t.equal(server.open.size, 0, 'nothing is left running')
  t.equal(figures.ratePerSecond, 300)
  const all = figures.good + figures.failed + figures.dropped
  t.ok(all <= server.asked + figures.dropped)
  // 2.05 s at 300 a second are 615; five standard deviations of a Poisson count of 600 are 122.
  t.ok(Math.abs(all - 615) < 140, `${all} arrivals`)
  // One answer in ten is a 503: an interval that begins anywhere has floor or ceil of a tenth.
  t.ok(Math.abs(figures.failed - (all - figures.dropped) / 10) <= 2, `${figures.failed} failed`)
})

t.test('a measurement that is stopped leaves nothing running', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const stopping = new AbortController()
  const order = { url: server.url, users: 4, loadWorkers: 2, thinkMs: 0, bodies: ['{}'], checkEvery: 50, seed: 1 }
  const trial = { order: { ...order, timeoutMs: 5000, ratePerSecond: 100 }, warmUpMs: 600_000, durationMs: 1 }
  const stopped = t.rejects(measureRate(trial, stopping.signal), { name: 'AbortError' })
  await eventually('a request', () => server.asked > 0)
  stopping.abort()
  await stopped
  await eventually('no connection', () => server.open.size === 0)
})
