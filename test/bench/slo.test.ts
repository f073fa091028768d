import t from 'tap'
import { findHighestRate, minimumIntervalMs, type RateFigures, type RateSearch } from '../../src/bench/slo/search.js'
import { renderSlo } from '../../src/bench/slo/table.js'
import { bench, interrupt } from '../support/bench-process.js'
import { eventually } from '../support/eventually.js'
import { freePorts } from '../support/servers/ports.js'

const figures = (ratePerSecond: number, more: Partial<RateFigures> = {}): RateFigures => ({
  ratePerSecond,
  p99Ms: 1,
  good: 1000,
  failed: 0,
  dropped: 0,
  lateMs: 0,
  hostBusy: 0.5,
  ...more
})
const search = (measure: (rate: number) => RateFigures, more: Partial<RateSearch> = {}) =>
  findHighestRate({
    measure: rate => Promise.resolve(measure(rate)),
    ...{ p99Ms: 50, first: 100, low: 10, high: 1000, precision: 0.02, confirmations: 2 },
    ...more
  })

// A queue with one server and 400 requests a second of capacity: the P99 is ln(100) / (400 - rate) seconds (M/M/1), which
// is 50 ms at 400 - 92.1 = 307.9 a second.
const queue = (rate: number) => figures(rate, { p99Ms: rate < 400 ? (Math.log(100) / (400 - rate)) * 1000 : 1e6 })

t.test('finds the rate at which a queue of known capacity reaches the bound', async t => {
  const { ratePerSecond, isAtTop, confirmed, tried } = await search(queue)
  t.ok(ratePerSecond! <= 307.9 && ratePerSecond! >= 307.9 / 1.02, `${ratePerSecond}`)
  t.notOk(isAtTop)
  t.same(
    confirmed.map(one => one.ratePerSecond),
    [ratePerSecond, ratePerSecond]
  )
  // 100, 200 and 400, then log2(log(2) / log(1.02)) = 5.1 halvings, then two to confirm; each that does not hold twice.
  const failed = tried.filter(({ p99Ms }) => p99Ms > 50)
  t.equal(tried.length, 3 + 6 + 2 + failed.length / 2)
})

t.test('a rate far from the first one is found as well', async t => {
  for (const bound of [11, 999]) {
    const { ratePerSecond, isAtTop } = await search(rate => figures(rate, { p99Ms: rate > bound ? 60 : 10 }))
    t.ok(ratePerSecond! <= bound && ratePerSecond! >= bound / 1.02, `${bound}: ${ratePerSecond}`)
    t.notOk(isAtTop)
  }
})

t.test('failures, drops and too few samples each end a rate as a slow answer does', async t => {
  for (const bad of [{ failed: 1 }, { dropped: 1 }, { good: 661 }, { p99Ms: 50.1 }, { p99Ms: NaN }]) {
    const { ratePerSecond } = await search(rate => figures(rate, rate > 200 ? bad : {}))
    t.ok(ratePerSecond! <= 200 && ratePerSecond! >= 200 / 1.02, `${JSON.stringify(bad)}: ${ratePerSecond}`)
  }
})

t.test('one pause of the machine does not end the search', async t => {
  // Each rate below the limit is slow when it is tried for the first time.
  const seen = new Set<number>()
  const { ratePerSecond, confirmed } = await search(rate => {
    const isFirst = !seen.has(rate)
    seen.add(rate)
    return figures(rate, { p99Ms: isFirst || rate > 300 ? 637 : 10 })
  })
  t.ok(ratePerSecond! <= 300 && ratePerSecond! >= 300 / 1.02, `${ratePerSecond}`)
  t.strictSame(
    confirmed.map(({ p99Ms }) => p99Ms),
    [10, 10],
    'what confirms it has kept the bound at once'
  )
})

t.test('a rate that holds by luck gives way to one that holds again', async t => {
  const times = new Map<number, number>()
  const { ratePerSecond, confirmed } = await search(rate => {
    times.set(rate, (times.get(rate) ?? 0) + 1)
    return figures(rate, { p99Ms: rate > 250 && (rate > 300 || times.get(rate)! > 1) ? 60 : 10 })
  })
  t.ok(ratePerSecond! <= 250 && ratePerSecond! > 250 / 1.02 ** 2, `${ratePerSecond}`)
  t.equal(confirmed.length, 2)
})

t.test('says when the lowest rate is too much, and when the highest one is not', async t => {
  t.same(await search(rate => figures(rate, { failed: 1 })), {
    ratePerSecond: null,
    isAtTop: false,
    confirmed: [],
    tried: [100, 100, 50, 50, 25, 25, 12.5, 12.5, 10, 10].map(rate => figures(rate, { failed: 1 }))
  })
  t.match(await search(rate => figures(rate)), { ratePerSecond: 1000, isAtTop: true, confirmed: [{}, {}] })
  await t.rejects(search(queue, { low: 10, high: 10 }), {
    code: 'bad_flag',
    message: 'no rate lies between 10 and 10 a second'
  })
})

t.test('a P99 needs 662 answers: 6.62 s at 100 a second', t => {
  t.equal(minimumIntervalMs(100), 6620)
  t.end()
})

t.test('the table has what was found for each number of replicas', t => {
  const confirmed = [figures(500, { p99Ms: 20, good: 900, dropped: 0 }), figures(500, { p99Ms: 40, good: 1100 })]
  const text = renderSlo({
    ...{ p99Ms: 50, durationMs: 10_000, loadWorkers: 4, connections: 256, steps: 1, seed: 7 },
    ...{ low: 10, precision: 0.05, confirmations: 2 },
    found: [
      { replicas: 1, ratePerSecond: 500, isAtTop: false, confirmed, tried: [figures(700), ...confirmed] },
      { replicas: 2, ratePerSecond: 500, isAtTop: true, confirmed, tried: confirmed },
      { replicas: 4, ratePerSecond: null, isAtTop: false, confirmed: [], tried: [figures(10)] }
    ]
  })
  t.match(text, 'P99 <= 50 ms')
  t.match(
    text,
    '10 s or more, with 4 load workers, 256 connections, 1 step and seed 7. Each rate is found to within 5 %'
  )
  t.match(text, '| 1 | 500 | 30.0 | 2000 | 0 | 0 | 3 |')
  t.match(text, '| 2 | 500 or more | 30.0 | 2000 | 0 | 0 | 2 |')
  t.match(text, '| 4 | none from 10/s on |  |  |  |  | 1 |')
  t.end()
})

t.test('a generator that was late and a host that was full are told beside the rate', t => {
  const found = (tried: RateFigures[]) =>
    renderSlo({
      p99Ms: 50,
      durationMs: 10_000,
      loadWorkers: 4,
      connections: 256,
      steps: 1,
      seed: 7,
      low: 10,
      precision: 0.05,
      confirmations: 1,
      found: [{ replicas: 1, ratePerSecond: 500, isAtTop: false, confirmed: tried.slice(-1), tried }]
    })
  // Ten ms are of no account, and nor is a quarter of the P99.
  t.match(found([figures(700, { lateMs: 11 }), figures(500)]), '| 2 | generator late in 1 of 2 trials |')
  t.match(found([figures(700, { lateMs: 11, p99Ms: 60 }), figures(500)]), '| 2 |  |')
  t.match(found([figures(700, { hostBusy: 0.97 }), figures(500)]), '| 2 | host CPU full in 1 of 2 trials |')
  t.match(
    found([figures(500, { lateMs: 30, hostBusy: 1 })]),
    '| 1 | generator late in 1 of 1 trials; host CPU full in 1 of 1 trials |'
  )
  t.end()
})

t.test('a search on replicas of our own measures rates, and one that is stopped leaves nothing running', async t => {
  const [port] = (await freePorts(1)) as [number]
  const slo = bench(t, ['slo', '--p99', 10_000, '--replicas', 1, '--load-workers', 2, '--duration', 1, '--port', port])
  await eventually('a rate', () => /\/s: P99/.test(slo.said()), 60_000)
  t.match(slo.said(), /^bench: 1 replica: 1600\/s: P99 [\d.]+ ms, [1-9]\d* good, \d+ failed, \d+ dropped$/m)
  await interrupt(t, slo)
})
