import t from 'tap'
import { cellFigures, tableRows } from '../../../../src/bench/analysis/figures.js'
import { benchCell } from '../../../support/bench-cells.js'

const alike = (count: number, ms: number): number[] => new Array<number>(count).fill(ms)
const isNear = (value: number | null | undefined, wanted: number): boolean =>
  typeof value === 'number' && Math.abs(value / wanted - 1) < 0.002

t.test('RPS counts good answers, and everything else that was sent is a failure', t => {
  const cell = benchCell({
    latenciesMs: alike(1000, 100),
    statuses: { 429: 60, 503: 20 },
    errors: { timeout: 15 },
    lost: 5,
    mismatched: 1
  })
  const { good, rps, failurePercent } = cellFigures(cell)
  // One of 20 that were compared was wrong: so were 50 of 1000.
  t.equal(good, 950)
  t.equal(rps, 95)
  // 60 + 20 refused, 15 + 5 unanswered, 50 wrong, of 1080 answers and 20 without one
  t.equal(failurePercent, (100 * 150) / 1100)
  t.end()
})

t.test('a server that is always wrong has no good answer, whichever share was compared', t => {
  const { good, rps, failurePercent } = cellFigures(benchCell({ mismatched: 20 }))
  t.same([good, rps, failurePercent], [0, 0, 100])
  t.end()
})

t.test('of calls with many windows, RPS counts whole calls, forecasts the windows, and failures are of windows', t => {
  const cell = benchCell({
    latenciesMs: alike(1000, 100),
    statuses: { 429: 50 },
    lost: 50,
    windows: 16,
    partial: 20,
    failedWindows: { out_of_range: 80, deadline_exceeded: 40 }
  })
  const { good, rps, forecasts, forecastsPerSecond, failurePercent } = cellFigures(cell)
  t.same([good, rps], [980, 98], '1000 answers, of which 20 lack a forecast, in 10 s')
  // 1000 x 16 windows came back, 120 of them as errors
  t.same([forecasts, forecastsPerSecond], [15_880, 1588])
  // 1100 calls with 16 windows were sent
  t.equal(failurePercent, (100 * (17_600 - 15_880)) / 17_600)
  // One of 20 calls that were compared differed: a twentieth of all calls and windows is wrong.
  t.match(cellFigures(benchCell({ windows: 16, mismatched: 1 })), { good: 950, forecasts: 15_200, failurePercent: 5 })
  t.end()
})

t.test('requests that were open for too long at the end of the interval are failures', t => {
  const cell = benchCell()
  const { failurePercent } = cellFigures({ ...cell, load: { ...cell.load, overdue: 250 } })
  t.equal(failurePercent, 20)
  t.end()
})

t.test('an answer outside 2xx is no good answer, one of 204 is', t => {
  t.equal(cellFigures(benchCell({ statuses: { 204: 10, 302: 10 } })).good, 1010)
  t.end()
})

t.test('percentiles are those of the latencies, in ms', t => {
  // 1 to 1000 ms, each once: the rank is the value
  const figures = cellFigures(benchCell({ latenciesMs: Array.from({ length: 1000 }, (_, index) => index + 1) }))
  t.ok(isNear(figures.p50Ms, 500))
  t.ok(isNear(figures.p95Ms, 950))
  t.ok(isNear(figures.p99Ms, 990))
  t.ok(isNear(figures.meanMs, 500.5))
  t.end()
})

t.test('a percentile of too few answers stays empty', t => {
  const of = (count: number) => cellFigures(benchCell({ latenciesMs: alike(count, 100) }))
  t.equal(of(661).p99Ms, null)
  t.ok(isNear(of(662).p99Ms, 100))
  t.equal(of(129).p95Ms, null)
  t.ok(isNear(of(130).p95Ms, 100))
  t.equal(of(0).p50Ms, null)
  t.end()
})

t.test('a cell in which nothing was sent has no failures and no RPS', t => {
  t.match(cellFigures(benchCell({ latenciesMs: [] })), { rps: 0, failurePercent: 0 })
  t.end()
})

t.test('lines stand by phase, load workers, replicas and users, whatever the order of measuring', t => {
  const plans = [
    { phase: 'standalone', replicas: 1, users: 40 },
    { phase: '2', workers: 8, replicas: 1, users: 200 },
    { phase: '1', replicas: 8, users: 200 },
    { phase: '1', replicas: 1, users: 800 },
    { phase: '1', replicas: 1, users: 200 }
  ] as const
  const rows = tableRows(plans.map(plan => benchCell({ plan })))
  t.same(
    rows.map(({ phase, loadWorkers, replicas, users }) => [phase, loadWorkers, replicas, users].join('/')),
    ['1/4/1/200', '1/4/1/800', '1/4/8/200', '2/8/1/200', 'standalone/4/1/40']
  )
  t.end()
})

t.test('repeats make one line, with their median and interval', t => {
  const repeats = [700, 800, 1500].map((count, index) =>
    benchCell({ plan: { repeat: index + 1 }, latenciesMs: alike(count, 100) })
  )
  const [row, ...others] = tableRows(repeats)
  t.same(others, [])
  t.equal(row!.rps.median, 80)
  // mean 100, s = sqrt((900 + 400 + 2500) / 2), t(0.975, 2) = 4.302653, over sqrt 3: ± 108.28
  t.ok(Math.abs(row!.rps.interval![1] - 208.28) < 0.02)
  t.end()
})

t.test('a percentile that one repeat lacks is not shown of the others', t => {
  const repeats = [700, 100].map((count, index) =>
    benchCell({ plan: { repeat: index + 1 }, latenciesMs: alike(count, 100) })
  )
  t.match(tableRows(repeats)[0], { p99Ms: null, p95Ms: null, p50Ms: { median: Number } })
  t.end()
})
