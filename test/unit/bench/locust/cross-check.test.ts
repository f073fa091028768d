import t from 'tap'
import { chooseCells } from '../../../../src/bench/cli/cross-check.js'
import { crossCheckSection } from '../../../../src/bench/report/cross-check.js'
import { benchCell, benchRun } from '../../../support/bench-cells.js'

const cell = (replicas: number, users: number, phase: '1' | '2' = '1', repeat = 1) =>
  benchCell({ plan: { replicas, users, phase, repeat, workers: phase === '1' ? 4 : 8 }, latenciesMs: [1] })

t.test('a small, a middle and a large cell of the first phase are checked, each once', async t => {
  const matrix = (['2', '1'] as const).flatMap(phase =>
    [8, 1, 4, 2].flatMap(replicas => [800, 200, 400].map(users => cell(replicas, users, phase)))
  )
  t.same(
    chooseCells(matrix).map(({ key }) => key),
    ['1/1/200/4/1', '1/2/400/4/1', '1/8/800/4/1']
  )
  t.same(
    chooseCells([cell(1, 100), cell(1, 100, '1', 2), cell(2, 900)]).map(({ key }) => key),
    ['1/1/100/4/1', '1/2/900/4/1'],
    'where there are no others, the nearest ones, and no repeats'
  )
})

t.test('both generators stand in one table, with the reasons for their difference in figures', async t => {
  // In 10 s: 1000 answers at 100 ms and 5 CPU seconds, against 500 at 190 ms and 7.5.
  const ours = benchCell()
  const latencyMs = { median: 190, p95: 250, p99: null, mean: 196 }
  const locust = benchCell({ latencyMs, latenciesMs: new Array<number>(500).fill(0) })
  locust.generator.cpuSeconds = 7.5
  const other = benchRun([locust], { generator: 'locust' })
  const text = crossCheckSection(
    { run: benchRun([ours]), cells: [ours] },
    { run: other, cells: [locust, cell(4, 4)] }
  ).join('\n')
  t.match(text, '## Two generators, the same cell\n', 'a cell that only one has is not compared')
  t.match(text, /^\| 1\/2\/100\/4\/1 \| autocannon \| 100 \| 100 \| 100 \| 100 \| 0\.00 \| 0\.50 \| 5000 \|/m)
  t.match(text, /^\| 1\/2\/100\/4\/1 \| locust \| 50\.0 \| 190 \| 250 \| {2}\| 0\.00 \| 0\.75 \| 15000 \|/m)
  t.match(text, "0.50 times the RPS. Locust's load workers used 3.00 times the CPU an answer (15000 against 5000 us)")
  t.match(text, "Locust's median differs by 90.0 ms, more than Locust's rounding (5.00 ms)")
  t.match(text, 'RPS x (mean + think time) is 9.80 with Locust and 10.0 with autocannon, for 100 users')
  // 100 users / 50 a second - 196 ms; 100 users / 100 a second - 100 ms
  t.match(text, 'Of each round, 1804 ms (Locust) and 900 ms (autocannon) are neither latency nor think time.')
  t.notMatch(text, 'not comparable')
  const elsewhere = { ...other, fingerprint: { ...other.fingerprint, cpu: 'Other CPU' } }
  t.match(
    crossCheckSection({ run: benchRun([ours]), cells: [ours] }, { run: elsewhere, cells: [locust] }).join('\n'),
    /The runs are not comparable\..*cpu Test CPU to Other CPU/
  )
})
