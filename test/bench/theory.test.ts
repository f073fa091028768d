import { monotonicMs } from '../../src/clock.js'
import { setTimeout as pause } from 'node:timers/promises'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t, { type Test } from 'tap'
import { cellFigures } from '../../src/bench/analysis/figures.js'
import { type LoadOptions, startLoad } from '../../src/bench/load/generator.js'
import { notes } from '../../src/bench/report/format.js'
import { mergeLatency } from '../../src/bench/samples/latency.js'
import type { IntervalFigures } from '../../src/bench/samples/merge.js'
import { benchCell } from '../support/bench-cells.js'
import { type MoodyServer, moodyServer } from '../support/moody-server.js'
import { queueingServer } from '../support/queueing-server.js'

const ARRIVALS = 12
const SERVICE_MS = 40
/** Load of the server: 12 arrivals a second of 40 ms each. */
const RHO = (ARRIVALS * SERVICE_MS) / 1000
/**
 * Some 480 arrivals are measured. The standard error of their mean is near 10 %, for waits of neighbours go together; that of the
 * median is less. Three of it, and what timers are late by on a busy host.
 */
const SECONDS = 40
const TOLERANCE = 0.3
const TIMER_MS = 12

/** What the load generator measures of a server in so many seconds. */
async function measured(
  t: Test,
  server: MoodyServer,
  order: Partial<LoadOptions>,
  seconds: number
): Promise<IntervalFigures> {
  const common = { users: 100, loadWorkers: 1, thinkMs: 0, bodies: ['{}'], checkEvery: 1, seed: 11, timeoutMs: 30_000 }
  const load = await startLoad({ url: server.url, ...common, ...order })
  t.teardown(() => load.kill())
  const interval = await load.beginInterval()
  await pause(seconds * 1000)
  return interval.end()
}

const near = (t: Test, what: string, got: number, want: number) =>
  t.ok(
    Math.abs(got - want) <= TOLERANCE * want + TIMER_MS,
    `${what}: ${got.toFixed(1)} ms, by theory ${want.toFixed(1)} ms`
  )

t.test('queues whose percentiles are known from theory', { jobs: 2 }, t => {
  t.test('M/M/1: the time in the system is exponential with mean service / (1 - rho)', async t => {
    const random = xoroshiro128plus(5)
    const server = await queueingServer(() => -Math.log(1 - uniformFloat64(random)) * SERVICE_MS)
    t.teardown(server.close)
    const { latencyUs, errors, lost } = await measured(t, server, { ratePerSecond: ARRIVALS }, SECONDS)
    const latency = mergeLatency([latencyUs])
    const mean = SERVICE_MS / (1 - RHO)
    near(t, 'mean', latency.mean / 1000, mean)
    near(t, 'median', latency.getValueAtPercentile(50) / 1000, mean * Math.LN2)
    near(t, 'P90', latency.getValueAtPercentile(90) / 1000, mean * Math.log(10))
    t.same([errors, lost], [{}, 0])
  })

  t.test('M/D/1: the mean wait is rho x service / (2 (1 - rho)) (Pollaczek and Khinchin)', async t => {
    const server = await queueingServer(() => SERVICE_MS)
    t.teardown(server.close)
    const { latencyUs } = await measured(t, server, { ratePerSecond: ARRIVALS }, SECONDS)
    const latency = mergeLatency([latencyUs])
    near(t, 'mean', latency.mean / 1000, SERVICE_MS + (RHO * SERVICE_MS) / (2 * (1 - RHO)))
    // Whoever finds nobody before him, 1 - rho of all, is served in the service time itself.
    near(t, 'P40', latency.getValueAtPercentile(40) / 1000, SERVICE_MS)
  })
  t.end()
})

/** The cell that such figures make, for what a report says of it. */
function cellOf({ eventLoopP99Ms: _late, ...load }: IntervalFigures) {
  const cell = benchCell({ plan: { users: 10 } })
  return { ...cell, load: { ...load, latencyMs: null, whole: cell.load.whole } }
}

t.test('servers that behave badly in ways that are known', { jobs: 4 }, t => {
  t.test('one that hangs half-way has its open requests among the failures', async t => {
    const server = await moodyServer(({ number, answer }) => {
      if (number <= 200) setTimeout(() => answer(200, '{}'), 5)
    })
    t.teardown(server.close)
    const cell = cellOf(await measured(t, server, { users: 10 }, 4))
    t.equal(cell.load.overdue, 10, 'all ten users wait')
    t.match(notes([cell]), 'still open at the end x 10')
    t.ok(cellFigures(cell).failurePercent > 0)
  })

  t.test('one that is always wrong has no good answer', async t => {
    const server = await moodyServer(({ answer }) => setTimeout(() => answer(200, '{"predictions":[]}'), 5))
    t.teardown(server.close)
    const expected = [
      { version: '1', features: ['a'], rows: [[1]], tolerance: { relative: 1e-3, absolute: [1] } }
    ] as never
    const cell = cellOf(await measured(t, server, { users: 10, expected, checkEvery: 7 }, 2))
    t.ok(cell.load.checked > 10 && cell.load.checked === cell.load.mismatched, `${cell.load.checked} compared`)
    t.same([cellFigures(cell).good, cellFigures(cell).failurePercent], [0, 100])
    t.match(notes([cell]), 'wrong forecasts: 100.0 %')
  })

  t.test('one that freezes shows it beside its percentiles', async t => {
    let frozenUntil = 0
    const freeze = setInterval(() => (frozenUntil = monotonicMs() + 1200), 3000)
    t.teardown(() => clearInterval(freeze))
    const server = await moodyServer(({ answer }) => {
      setTimeout(() => answer(200, '{}'), Math.max(5, frozenUntil - monotonicMs()))
    })
    t.teardown(server.close)
    const cell = cellOf(await measured(t, server, { users: 10 }, 8))
    t.match(notes([cell]), /slowest answer .* ms.*coordinated omission/)
  })

  t.test('one that refuses fast is told by its status', async t => {
    const server = await moodyServer(({ number, answer }) => answer(number % 2 ? 200 : 503, '{}'))
    t.teardown(server.close)
    const cell = cellOf(await measured(t, server, { users: 2 }, 2))
    t.match(notes([cell]), /failures: 503 x \d+/)
    t.ok(Math.abs(cellFigures(cell).failurePercent - 50) < 1, `${cellFigures(cell).failurePercent} %`)
  })
  t.end()
})
