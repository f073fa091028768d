import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compareRuns } from '../../../../src/bench/report/compare.js'
import type { Cell } from '../../../../src/bench/results/cell.schema.js'
import type { Run } from '../../../../src/bench/results/run.schema.js'
import { appendCell, createRun } from '../../../../src/bench/results/store.js'
import { benchCell, benchRun, type CellTraits } from '../../../support/bench-cells.js'

const alike = (count: number, ms: number): number[] => new Array<number>(count).fill(ms)

async function folders(t: Test, before: Cell[], after: Cell[], traits: Partial<Run> = {}): Promise<[string, string]> {
  const base = t.testdir()
  const paths: [string, string] = [join(base, 'before'), join(base, 'after')]
  for (const [path, cells, other] of [[paths[0], before, {}] as const, [paths[1], after, traits] as const]) {
    mkdirSync(path)
    await createRun(path, benchRun(cells, other))
    for (const cell of cells) await appendCell(path, cell)
  }
  return paths
}

async function compared(t: Test, before: CellTraits, after: CellTraits, traits: Partial<Run> = {}) {
  return compareRuns(...(await folders(t, [benchCell(before)], [benchCell(after)], traits)))
}

t.test('a run compared with itself is no regression', async t => {
  const cells = [1, 2, 4].map(replicas => benchCell({ plan: { replicas } }))
  const [folder] = await folders(t, cells, cells)
  const { text, regressed } = await compareRuns(folder, folder)
  t.notOk(regressed)
  t.match(text, /No regression in 3 cells/)
  t.notMatch(text, /not comparable|Changed|Only the/)
})

t.test('a drop of RPS beyond the interval and the threshold is a regression, a small one is not', async t => {
  // 1000, 940 and 960 good answers in 10 s, as many in each second: intervals of no width
  const drop = await compared(t, {}, { latenciesMs: alike(940, 100) })
  t.ok(drop.regressed)
  t.match(drop.text, /-6\.0 %.*RPS lower/)
  t.match(drop.text, /Regression in 1 of 1 cells/)
  t.notOk((await compared(t, {}, { latenciesMs: alike(960, 100) })).regressed)
  t.notOk((await compared(t, { latenciesMs: alike(940, 100) }, {})).regressed, 'a gain')
})

t.test('a drop within the scatter of the seconds is no regression', async t => {
  const scattered = (cell: Cell): Cell => ({
    ...cell,
    load: { ...cell.load, perSecond: [20, 180, 20, 180, 20, 180, 20, 180, 20, 180] }
  })
  const paths = await folders(t, [scattered(benchCell())], [benchCell({ latenciesMs: alike(900, 100) })])
  t.notOk((await compareRuns(...paths)).regressed)
})

t.test('with repeats the interval is over them', async t => {
  const repeats = (counts: number[]): Cell[] =>
    counts.map((count, index) => benchCell({ plan: { repeat: index + 1 }, latenciesMs: alike(count, 100) }))
  // Means of 100 and 90 a second; 2.776 x s / sqrt 5 is 1.96 for s = 1.58 and 19.6 for s = 15.8.
  const near = repeats([980, 990, 1000, 1010, 1020])
  t.ok((await compareRuns(...(await folders(t, near, repeats([880, 890, 900, 910, 920]))))).regressed)
  t.notOk((await compareRuns(...(await folders(t, near, repeats([700, 800, 900, 1000, 1100]))))).regressed)
})

t.test('a higher P99 is a regression even at the same RPS', async t => {
  const tail = (ms: number): number[] => [...alike(970, 100), ...alike(30, ms)]
  const worse = await compared(t, { latenciesMs: tail(200) }, { latenciesMs: tail(250) })
  t.ok(worse.regressed)
  t.match(worse.text, /\+25\.\d %.*P99 higher/)
  t.notOk((await compared(t, { latenciesMs: tail(200) }, { latenciesMs: tail(230) })).regressed)
  // 2 of 1000 lie above the P99's rank, but within its ranks' interval: 990 ± 6.2
  const oneMore = [...alike(988, 100), ...alike(12, 300)]
  t.notOk(
    (await compared(t, { latenciesMs: [...alike(992, 100), ...alike(8, 300)] }, { latenciesMs: oneMore })).regressed
  )
})

t.test('more failures than chance explains are a regression', async t => {
  const worse = await compared(t, {}, { lost: 10 })
  t.ok(worse.regressed)
  t.match(worse.text, /0\.00 to 0\.99 .*more failures/)
  // z of 1 against 0 of 1000 is 1.0
  t.notOk((await compared(t, {}, { lost: 1 })).regressed)
  t.notOk((await compared(t, { lost: 10 }, {})).regressed)
})

t.test('a run that answered nothing is a regression', async t => {
  t.ok((await compared(t, {}, { latenciesMs: [], errors: { ECONNREFUSED: 50 } })).regressed)
})

t.test('what is not comparable is said: another machine, another model, cells of one run only', async t => {
  const { fingerprint } = benchRun([])
  const other = { ...fingerprint, cpu: 'Other CPU', modelDigest: 'xyz', commit: 'c1' }
  const { text } = await compared(t, {}, {}, { fingerprint: other })
  t.match(text, /not comparable.*cpu Test CPU to Other CPU; modelDigest abc to xyz\./)
  t.match(text, /Changed: commit c0 to c1\./)

  const paths = await folders(
    t,
    [benchCell(), benchCell({ plan: { replicas: 4 } })],
    [benchCell(), benchCell({ plan: { replicas: 4, thinkMs: 500 } })]
  )
  const partial = await compareRuns(...paths)
  t.match(partial.text, /Only the first run.*4 replicas.*think time 0 ms\./)
  t.match(partial.text, /Only the second run.*4 replicas.*think time 500 ms\./)
})

t.test(
  'runs whose calls differ are not comparable, and one that names neither sent one window to /predict',
  async t => {
    const one = await compared(t, {}, {}, { protocol: 'batch', windows: 16 })
    t.match(one.text, /not comparable.*differ: protocol predict to batch; windows 1 to 16\./)
    const same = await compared(t, {}, {}, { protocol: 'predict', windows: 1 })
    t.notMatch(same.text, /not comparable/)
  }
)

t.test('failures are compared by call: the windows of one call fail together', async t => {
  // One call more of 1000 is chance; its 256 windows of 256000 would not be.
  const { regressed } = await compared(t, { windows: 256 }, { windows: 256, statuses: { 503: 1 } })
  t.notOk(regressed)
})

t.test('two runs without a common cell are refused', async t => {
  const paths = await folders(t, [benchCell()], [benchCell({ plan: { users: 400 } })])
  await t.rejects(compareRuns(...paths), { code: 'bad_results', message: /have no cell in common/ })
})
