import { existsSync, readFileSync, rmSync } from 'node:fs'
import t from 'tap'
import { openRun } from '../../src/bench/results/store.js'
import { bench, cellsIn, flags } from '../support/bench-process.js'
import { snapshot } from '../support/cache-copy.js'
import { eventually } from '../support/eventually.js'

/** As one that runs, on another port. */
const elsewhere = async (folder: string, out: string) =>
  (await flags(folder)).map(word => (word === folder ? out : word))

t.test('a folder of results is of one benchmark at a time, and of the next when that has ended, however', async t => {
  const folder = `${t.testdir()}/results`
  const first = bench(t, await flags(folder))
  await eventually('a cell', () => cellsIn(folder).length > 0, 60_000)
  for (const args of [['--resume', folder], await elsewhere(folder, folder), ['cross-check', folder]]) {
    const second = bench(t, args)
    t.equal(await second.ended, 2, args.join(' '))
    t.equal(second.said(), `bench: ${folder} is in use by another process\n`)
  }
  t.ok(cellsIn(folder).length < 4, 'the first is not at its end')
  const report = bench(t, ['report', folder])
  t.equal(await report.ended, 0, 'a report can be looked at')

  first.kill('SIGKILL')
  // Not even waiting for its end.
  const resumed = bench(t, ['--resume', folder])
  await eventually('another cell, or the end', () => resumed.said().includes('['), 60_000)
  const third = bench(t, ['--resume', folder])
  t.equal(await third.ended, 2, third.said())
  t.equal(await resumed.ended, 0, resumed.said())
  const { run, cells, isTorn } = await openRun(folder)
  const keys = cells.map(({ plan }) => plan.key)
  t.same(keys.toSorted(), run.plan.map(({ key }) => key).toSorted(), 'every cell, and none twice')
  t.notOk(isTorn)
  t.notMatch(readFileSync(`${folder}/RESULTS.md`, 'utf8'), /have not been measured/)
})

t.test('two benchmarks that begin one folder together: one has it, and the other touches nothing', async t => {
  const folder = `${t.testdir()}/results`
  const both = [bench(t, await flags(folder)), bench(t, await flags(folder))]
  const [code, other] = [await Promise.race(both.map(one => one.ended)), both]
  t.equal(code, 2)
  const refused = other.find(one => one.said().includes('in use'))!
  t.match(refused.said(), `bench: ${folder} is in use by another process\n`)
  const winner = both.find(one => one !== refused)!
  t.equal(await winner.ended, 0, winner.said())
  const { run, cells } = await openRun(folder)
  t.equal(cells.length, run.plan.length)
})

t.test('a benchmark whose folder another one has now stops, and adds nothing to it', async t => {
  const root = t.testdir()
  const folder = `${root}/results`
  const first = bench(t, await flags(folder))
  await eventually('a run', () => existsSync(`${folder}/run.json`), 60_000)
  first.kill('SIGSTOP')
  rmSync(folder, { recursive: true })
  const second = bench(t, await flags(folder))
  // The file of cells is made once the other is whole.
  await eventually('another run', () => existsSync(`${folder}/cells.jsonl`), 60_000)
  const begun = readFileSync(`${folder}/run.json`, 'utf8')
  first.kill('SIGCONT')
  t.equal(await first.ended, 4)
  t.match(first.said(), `bench: ${folder} was removed or replaced under way: nothing was added to it\n`)
  t.equal(await second.ended, 0, second.said())
  t.equal(readFileSync(`${folder}/run.json`, 'utf8'), begun)
  const { run, cells } = await openRun(folder)
  t.equal(cells.length, run.plan.length)
  t.same(
    snapshot(root).filter(line => line.includes('.new')),
    []
  )
})
