import t from 'tap'
import { analysisSection } from '../../../../src/bench/report/analysis.js'
import { COLUMNS, resultsMarkdown } from '../../../../src/bench/report/markdown.js'
import { benchCell, benchRun } from '../../../support/bench-cells.js'

const alike = (count: number, ms: number): number[] => new Array<number>(count).fill(ms)

t.test("the table has the report's columns, and a line for each cell", t => {
  const cells = [200, 400].map(users => benchCell({ plan: { users }, lost: 10 }))
  const markdown = resultsMarkdown(benchRun(cells), cells)
  t.equal(
    `| ${COLUMNS.join(' | ')} |`,
    '| Inference Replicas | Users | RPS (req/s) | Median (ms) | P95 (ms) | P99 (ms) | Failures (%) | Notes |'
  )
  t.match(markdown, /## Phase 1: 4 load workers/)
  // 1000 answers of 100 ms (in a bucket of 0.1 %) in 10 s, 10 of 1010 lost
  t.match(
    markdown,
    /\n\| 2 \| 200 \| 100 \| 100 \| 100 \| 100 \| 0\.99 \| limited by host CPU; failures: lost x 10 \|\n\| 2 \| 400 /
  )
  t.end()
})

t.test('calls with many windows have a column of forecasts, the CPU of one, and their failed windows in Notes', t => {
  const cells = [benchCell({ windows: 16, partial: 2, failedWindows: { out_of_range: 10 } })]
  const markdown = resultsMarkdown(benchRun(cells, { protocol: 'batch', windows: 16 }), cells)
  t.match(markdown, '| Users | RPS (req/s) | Forecasts (1/s) | Median (ms) |')
  // 998 whole calls and 15990 forecasts in 10 s, 10 failures of 16000
  t.match(
    markdown,
    '\n| 2 | 100 | 99.8 | 1599 | 100 | 100 | 100 | 0.06 | limited by host CPU; failures: out_of_range (windows) x 10 |'
  )
  // 12 CPU seconds for 998 calls, and for 15990 forecasts
  t.match(markdown, '| CPU an answer (us) | CPU a forecast (us) | rows a batch |')
  t.match(markdown, '| 12024 | 750 | 1.75 |')
  t.match(markdown, 'Each request is a call of `batch` with 16 windows.')
  t.match(markdown, /\| protocol \| batch \|\n\| windows \| 16 \|/)
  const single = benchCell({ windows: 1 })
  t.notMatch(resultsMarkdown(benchRun([single]), [single]), /Forecasts|CPU a forecast|protocol/)
  t.end()
})

t.test('a table says how long its cells were measured, and the page what was typed', t => {
  for (const [durationMs, text] of [
    [120_000, '120 s'],
    [60_000, '60 s'],
    [1500, '1.5 s'],
    [200, '0.2 s']
  ] as const) {
    const cells = [benchCell({ plan: { durationMs } })]
    t.match(resultsMarkdown(benchRun(cells), cells), `Each cell is measured for ${text} after its warm-up.`)
  }
  const cells = [benchCell()]
  t.match(resultsMarkdown(benchRun(cells, { args: [] }), cells), '\n`npm run bench` was started at')
  t.match(resultsMarkdown(benchRun(cells, { args: ['--quick'] }), cells), '\n`npm run bench -- --quick` was started at')
  t.end()
})

t.test('a failed check keeps the figures and is told in Notes and with what it saw', t => {
  const checks = [
    { name: 'steady', ok: false, detail: 'answers a second in the warm-up: 10, 20, 40' },
    { name: 'little', ok: true, detail: 'fine' }
  ]
  const cells = [benchCell({ checks, notes: ['a note of its own'] })]
  const markdown = resultsMarkdown(benchRun(cells), cells)
  t.match(markdown, /\| 2 \| 100 \| 100 .* limited by host CPU; not steady; a note of its own \|/)
  t.match(markdown, /\| 1\/2\/100\/4\/1 \| steady \| answers a second in the warm-up: 10, 20, 40 \|/)
  t.notMatch(markdown, /Little's law does not hold/)
  t.end()
})

t.test('too few answers leave their percentiles empty', t => {
  const cells = [benchCell({ latenciesMs: alike(200, 100) })]
  t.match(resultsMarkdown(benchRun(cells), cells), /\| 2 \| 100 \| 20\.0 \| 100 \| 100 \| {2}\| 0\.00 \|/)
  t.end()
})

t.test('repeats show their median and interval', t => {
  const cells = [900, 1000, 1100].map((count, index) =>
    benchCell({ plan: { repeat: index + 1 }, latenciesMs: alike(count, 100) })
  )
  const markdown = resultsMarkdown(benchRun(cells), cells)
  // 100 ± 4.302653 x 10 / sqrt 3
  t.match(markdown, /\| 100 \[75\.2, 125\] \|/)
  t.match(markdown, /medians of 3 repeats \[95 % t-interval\]/)
  const apart = [100, 1000].map((count, index) =>
    benchCell({ plan: { repeat: index + 1 }, latenciesMs: alike(count, 100) })
  )
  // 55 ± 12.7062 x 63.6396 / sqrt 2
  t.match(resultsMarkdown(benchRun(apart), apart), /\| 55\.0 \[0\.00, 627\] \|/, 'not below 0, which no throughput is')
  t.end()
})

t.test('a run that is quick, or has missing cells, says so first', t => {
  const cells = [benchCell(), benchCell({ plan: { replicas: 4 } })]
  const head = resultsMarkdown(benchRun(cells, { quick: true }), cells.slice(1)).split('## ')[0]
  t.match(head, /A quick run.*not to be quoted/)
  t.match(head, /Incomplete: 1 of 2 cells have not been measured/)
  t.notMatch(resultsMarkdown(benchRun(cells), cells), /quick|Incomplete/)
  t.end()
})

t.test("the standalone table stands beside the report's figures, with Little's law for both", t => {
  const cells = [benchCell({ plan: { phase: 'standalone', replicas: 1, users: 40, thinkMs: 300 } })]
  const markdown = resultsMarkdown(benchRun(cells), cells)
  t.match(markdown, /Each user thinks for 300 ms/)
  // 100 a second x (100 ms + 300 ms)
  t.match(markdown, /\| 1 \| 15\.46 \| 100 \| 40 users = 100\/s x \(100 ms \+ 300 ms\) = 40\.0 \|/)
  // 40 / 15.46 - 0.11 = 2.477
  t.match(
    markdown,
    /holds for a think time of 2\.48 s.*The two columns are not the same load: `--preset standalone --think 2480` /
  )
  const like = [benchCell({ plan: { phase: 'standalone', replicas: 1, users: 40, thinkMs: 2480 } })]
  t.match(
    resultsMarkdown(benchRun(like), like),
    /Both columns have the same load\. The medians differ: 110 ms .*, and here 100 ms with 1 replica\./
  )
  t.end()
})

t.test('the analysis answers the four patterns, the key metrics and the capacity of more cores', t => {
  const rps: Record<number, number> = { 1: 100, 2: 190, 4: 200, 8: 150 }
  const cells = [4, 8].flatMap(workers =>
    [1, 2, 4, 8].map(replicas =>
      benchCell({
        plan: { phase: workers === 4 ? '1' : '2', workers, replicas, users: 200 },
        latenciesMs: alike(10 * rps[replicas]!, 1000 / rps[replicas]!)
      })
    )
  )
  const run = benchRun(cells, { target: 'http://192.0.2.1' })
  const text = resultsMarkdown(run, cells, analysisSection(run, cells))
  t.match(text, /\| Throughput grows linearly until saturation \| \*\*confirmed\*\* \| confirmed by 2/)
  t.match(text, /\| Latency falls with replicas \| \*\*refuted\*\* \| confirmed by 0, refuted by 2/)
  t.match(text, /\| Diminishing returns past a point \| \*\*confirmed\*\* \|/)
  t.match(text, /\| 8 load workers get more throughput than 4 \| \*\*refuted\*\* \| .*1\.00 \[1\.00, 1\.00\]/)
  t.match(text, /\| phase 2 \| 200 req\/s, from 2 replicas on, 200 users \| 5\.00 ms, 4 replicas, 200 users \|/)
  const alone = cells.filter(({ plan }) => plan.replicas === 1)
  t.match(
    analysisSection(benchRun(alone), alone).join('\n'),
    /from 1 replica on, 200 users \| 10\.0 ms, 1 replica, 200 users/
  )
  // 10 s of replicas and 2 of HAProxy for 1000, 1900, 2000, 1500 answers: the median of 12000, 6316, 6000, 8000 us is 7158
  t.match(text, /the median CPU of replicas and HAProxy, 7158 us \(6000 to 12000\)/)
  t.match(text, /\| 4 \| .* \| 559 \|/)
  t.match(text, /### Capacity \(an estimate\)/)
  t.end()
})

t.test('where the load was the limit in every cell there is no plateau and no capacity', t => {
  const cells = [1, 2, 4].map(replicas =>
    benchCell({ plan: { replicas, thinkMs: 2480 }, limiter: { what: 'think time', evidence: '' } })
  )
  const text = analysisSection(benchRun(cells, { target: 'http://192.0.2.1' }), cells).join('\n')
  t.match(text, /\| phase 1 \| none: the load was the limit \|/)
  t.match(text, /No capacity curve is fitted/)
  t.match(text, /The load was the limit in every cell, so nothing is estimated/)
  t.notMatch(text, 'at the most (req/s)')
  t.end()
})

t.test('where generator and servers share a machine no capacity is estimated, and the report says why', t => {
  const cells = [1, 2, 4].map(replicas => benchCell({ plan: { replicas } }))
  const text = analysisSection(benchRun(cells), cells).join('\n')
  t.match(text, /### Capacity\n.*shared the cores of one machine/)
  t.notMatch(text, /sigma|at the most/i)
  t.end()
})

t.test('cells whose checks failed confirm and refute nothing', t => {
  const checks = [{ name: 'generator-keeps-up', ok: false, detail: 'late' }]
  const rps: Record<number, number> = { 1: 100, 2: 190, 4: 200, 8: 150 }
  const all = (of: Parameters<typeof benchCell>[0]) =>
    [1, 2, 4, 8].map(replicas => benchCell({ plan: { replicas }, latenciesMs: alike(10 * rps[replicas]!, 10), ...of }))
  const text = (cells: ReturnType<typeof all>) => analysisSection(benchRun(cells), cells).join('\n')
  t.match(text(all({})), /grows linearly until saturation \| \*\*confirmed/)
  t.notMatch(text(all({ checks })), /\*\*(confirmed|refuted)\*\*/)
  t.match(text(all({ checks })), /a check failed at 1, 2, 4, 8 replicas/)
  const harmless = [{ name: 'steady', ok: false, detail: '' }]
  t.match(text(all({ checks: harmless })), /grows linearly until saturation \| \*\*confirmed/)
  t.end()
})

t.test('Notes say which failures there were, how many forecasts were wrong, and what a closed loop hides', t => {
  const notesOf = (...cells: Parameters<typeof resultsMarkdown>[1][]) => {
    const markdown = resultsMarkdown(benchRun(cells.flat()), cells.flat())
    return /^\| 2 \| 100 \|.*\| ([^|]*) \|$/m.exec(markdown)![1]
  }
  const many = benchCell({ statuses: { 503: 60, 429: 7 }, errors: { timeout: 15, dropped: 3 }, lost: 2 })
  t.equal(
    notesOf([many]),
    'limited by host CPU; failures: 503 x 60, timeout x 15, 429 x 7, arrivals dropped x 3, lost x 2'
  )
  // Wilson's interval of 1 in 20, by hand: 0.89 % to 23.6 %
  t.match(
    notesOf([benchCell({ mismatched: 1 })]),
    'wrong forecasts: 5.0 % [0.9 %, 23.6 %] of the answers (20 compared)'
  )
  t.match(
    notesOf([benchCell({ latenciesMs: [...alike(999, 10), 1000] })]),
    /slowest answer 1000 ms: .*coordinated omission/
  )
  const frozen = benchCell()
  frozen.load.perSecond = [100, 0, 100, 100, 100, 0, 100, 100, 100, 100]
  t.match(notesOf([frozen]), /2 seconds without an answer: .*coordinated omission/)
  t.equal(notesOf([benchCell()]), 'limited by host CPU')
  t.end()
})

t.test('what a tested server says of itself is text in the report, and no markup', t => {
  const checks = [
    { name: 'same-model', ok: false, detail: 'served: <img src=x onerror=alert(1)>, a|b, [x](javascript:1)' }
  ]
  const cells = [benchCell({ checks, errors: { '`<b>`\n| x |': 1 } })]
  const markdown = resultsMarkdown(benchRun(cells), cells)
  t.notMatch(markdown, /<img|<b>|\]\(javascript/)
  t.match(markdown, '&lt;img src=x onerror=alert(1)&gt;, a\\|b, [x]\\(javascript:1)')
  t.end()
})

t.test('an analysis of one cell, or of a target elsewhere, claims nothing', t => {
  const cell = benchCell()
  const elsewhere = { ...cell, haproxy: null, replicas: [] }
  const run = benchRun([elsewhere], { target: 'http://192.0.2.1' })
  const text = analysisSection(run, [elsewhere]).join('\n')
  t.notMatch(text, /\*\*(confirmed|refuted)\*\*/)
  t.match(text, /No capacity curve is fitted/)
  t.match(text, /nothing is estimated for other numbers of cores/)
  t.same(analysisSection(run, []), [])
  t.end()
})
