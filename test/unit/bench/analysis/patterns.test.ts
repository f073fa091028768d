import t from 'tap'
import { curves } from '../../../../src/bench/analysis/curves.js'
import { tableRows } from '../../../../src/bench/analysis/figures.js'
import { keyMetrics } from '../../../../src/bench/analysis/key-metrics.js'
import {
  growsLinearly,
  latencyFalls,
  moreLoadWorkersHelp,
  overall,
  returnsDiminish
} from '../../../../src/bench/analysis/patterns.js'
import type { Cell } from '../../../../src/bench/results/cell.schema.js'
import { benchCell, type CellTraits } from '../../../support/bench-cells.js'

const alike = (count: number, ms: number): number[] => new Array<number>(count).fill(ms)

/** A curve of so many good answers a second, of such latencies and with such limiters, at 1, 2, 4 and 8 replicas. */
function curve(rps: number[], latenciesMs: number[] = [], limiters: Cell['limiter']['what'][] = []) {
  const cells = rps.map((rate, index) =>
    benchCell({
      plan: { replicas: 2 ** index },
      latenciesMs: alike(10 * rate, latenciesMs[index] ?? 100),
      limiter: { what: limiters[index] ?? 'host CPU', evidence: '' }
    })
  )
  return curves(tableRows(cells))[0]!
}

t.test('linear speed-up to the plateau confirms, less than 80 % of linear speed-up refutes', t => {
  t.equal(growsLinearly(curve([100, 200, 400, 790])).answer, 'confirmed')
  t.equal(growsLinearly(curve([100, 170, 300, 310])).answer, 'confirmed')
  const below = growsLinearly(curve([100, 150, 220, 320]))
  t.equal(below.answer, 'refuted')
  t.match(below.figures, /RPS saturates at 8 replicas; .* 0\.75 at 2, 0\.55 at 4, 0\.40 at 8/)
  t.end()
})

t.test('a plateau between two counts does not refute growth that was linear before it', t => {
  // Linear to three replicas, which no count shows
  t.equal(growsLinearly(curve([100, 200, 300, 300])).answer, 'confirmed')
  t.match(growsLinearly(curve([100, 130, 130, 130])), {
    answer: 'undecidable',
    figures: /no replica count lies between/
  })
  t.end()
})

t.test('saturation at the smallest replica count leaves growth undecidable', t => {
  t.match(growsLinearly(curve([100, 105, 80, 60])), { answer: 'undecidable', figures: /smallest replica count, 1/ })
  t.equal(growsLinearly(curve([0, 100, 200])).answer, 'undecidable')
  t.end()
})

t.test('latency that falls confirms, a step that raises it by more than 5 % refutes', t => {
  const rps = [100, 100, 100, 100]
  t.equal(latencyFalls(curve(rps, [400, 200, 100, 104])).answer, 'confirmed')
  t.match(latencyFalls(curve(rps, [400, 200, 100, 110])), {
    answer: 'refuted',
    figures: /400\.. ms at 1, .*, 110\.. ms at 8/
  })
  t.equal(latencyFalls(curve(rps, [100, 104, 108, 112])).answer, 'refuted', 'small steps up')
  t.equal(latencyFalls(curve(rps, [100, 97, 94, 91])).answer, 'confirmed', 'small steps down')
  t.equal(latencyFalls(curve(rps, [100, 102, 98, 97])).answer, 'undecidable', 'within 5 %')
  t.equal(latencyFalls(curve([100])).answer, 'undecidable', 'one count')
  t.end()
})

t.test('returns diminish from the count after which each replica adds less than half', t => {
  // Gains of a replica: 100, 60, 25 of 100
  const past = returnsDiminish(curve([100, 200, 320, 420]))
  t.equal(past.answer, 'confirmed')
  t.match(past.figures, /past 4 replicas; .* 1\.00 from 1 to 2, 0\.60 from 2 to 4, 0\.25 from 4 to 8/)
  // A step below half that a later one makes up for is no such point
  t.equal(returnsDiminish(curve([100, 120, 320, 720])).answer, 'refuted')
  t.match(returnsDiminish(curve([100, 200, 400, 800])), { answer: 'refuted', figures: /not up to 8 replicas/ })
  t.equal(returnsDiminish(curve([100, 110])).answer, 'undecidable')
  t.equal(returnsDiminish(curve([0, 100, 200])).answer, 'undecidable')
  t.end()
})

t.test('a throughput that the load limits says nothing of the servers', t => {
  const paused = curve([16, 16, 16], [], ['think time', 'think time', 'think time'])
  for (const judge of [growsLinearly, returnsDiminish]) {
    t.strictSame(judge(paused), { answer: 'undecidable', figures: 'the load was the limit at 1, 2, 4 replicas' })
  }
  // Of 100, 200, 400 and 410 the last was all that the generator could send: nothing tells where they would have saturated.
  const late = curve([100, 200, 400, 410], [], ['replicas', 'replicas', 'replicas', 'generator'])
  t.match(returnsDiminish(late), {
    answer: 'refuted',
    figures: /not up to 4 replicas; .*; the load was the limit at 8 replicas$/
  })
  t.match(growsLinearly(late), { answer: 'confirmed', figures: /1\.00 at 2, 1\.00 at 4; the load/ })
  t.equal(keyMetrics([paused]).plateau, null)
  t.match(keyMetrics([curve([100, 50], [], ['replicas', 'generator'])]).plateau, { rps: 100, replicas: 1 })
  t.end()
})

function phase(workers: number, rates: number[], traits: CellTraits['plan'] = {}): Cell[] {
  return rates.map((rate, index) =>
    benchCell({
      plan: { phase: workers === 4 ? '1' : '2', workers, replicas: 2 ** index, ...traits },
      latenciesMs: alike(10 * rate, 100)
    })
  )
}

t.test('8 load workers are compared with 4 cell by cell', t => {
  const against = (four: number[], eight: number[]) =>
    moreLoadWorkersHelp(tableRows([...phase(4, four), ...phase(8, eight)]))
  t.equal(against([100, 200, 300], [120, 238, 365]).answer, 'confirmed')
  t.match(against([100, 200, 300], [101, 198, 301]), { answer: 'refuted', figures: /in 3 cells/ })
  t.equal(against([100, 200, 300], [60, 250, 420]).answer, 'undecidable', 'scattered')
  t.equal(against([100], [110]).answer, 'confirmed')
  t.equal(against([100], [90]).answer, 'refuted')
  t.equal(against([100], [103]).answer, 'undecidable')
  t.end()
})

t.test('cells without their like in the other phase are not compared', t => {
  t.equal(moreLoadWorkersHelp(tableRows(phase(4, [100, 200]))).answer, 'undecidable')
  const others = phase(8, [200, 400], { thinkMs: 500 })
  t.equal(moreLoadWorkersHelp(tableRows([...phase(4, [100, 200]), ...others])).answer, 'undecidable')
  const limiter = (what: 'think time' | 'generator') => (cell: Cell) => ({ ...cell, limiter: { what, evidence: '' } })
  const both = [...phase(4, [100, 200]), ...phase(8, [120, 240])]
  t.equal(
    moreLoadWorkersHelp(tableRows(both.map(limiter('generator')))).answer,
    'confirmed',
    'more of what was the limit'
  )
  t.equal(
    moreLoadWorkersHelp(tableRows(both.map(limiter('think time')))).answer,
    'undecidable',
    'pauses that do not change'
  )
  t.end()
})

t.test('curves that disagree leave a pattern undecidable, open ones do not count against it', t => {
  const of = (...answers: ('confirmed' | 'refuted' | 'undecidable')[]) =>
    overall(answers.map(answer => ({ answer, figures: '' })))
  t.equal(of('confirmed', 'undecidable').answer, 'confirmed')
  t.equal(of('refuted', 'undecidable').answer, 'refuted')
  t.match(of('confirmed', 'refuted', 'undecidable'), {
    answer: 'undecidable',
    figures: 'confirmed by 1, refuted by 1, left open by 1 of 3 curves'
  })
  t.equal(of('undecidable').answer, 'undecidable')
  t.end()
})

t.test('the key metrics of a phase are those of its best, fastest and worst cells', t => {
  const cells = [
    benchCell({ plan: { replicas: 1, users: 200 }, latenciesMs: alike(1000, 40) }),
    benchCell({ plan: { replicas: 1, users: 400 }, latenciesMs: alike(1900, 90) }),
    benchCell({ plan: { replicas: 2, users: 400 }, latenciesMs: alike(2000, 80), lost: 100 })
  ]
  t.match(keyMetrics(curves(tableRows(cells))), {
    plateau: { rps: 200, users: 400, replicas: 1 },
    latencyFloor: { users: 200, replicas: 1 },
    // 100 of 5000, and of the 2100 of one cell; 5 CPU seconds of the generator sent 2000 answers
    failures: { percent: 2, worstPercent: 100 / 21 },
    loadWorkers: { rpsEach: 50, answersPerCpuSecond: 400 }
  })
  t.end()
})
