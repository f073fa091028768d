import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { appendCell, createRun, missingCells, openRun, refuseOther } from '../../../../src/bench/results/store.js'
import { benchCell, benchRun, plannedCell } from '../../../support/bench-cells.js'

const cells = [1, 2, 4].map(replicas => benchCell({ plan: { replicas } }))
const run = benchRun(cells)

t.test('what is kept is what was measured, and the missing cells are the rest of the plan', async t => {
  const folder = join(t.testdir(), 'new', 'folder')
  await createRun(folder, run)
  await appendCell(folder, cells[1]!)
  const stored = await openRun(folder)
  t.same(stored, { run, cells: [cells[1]], isTorn: false })
  t.same(
    missingCells(stored.run, stored.cells).map(({ replicas }) => replicas),
    [1, 4]
  )
})

t.test('a folder that holds a run is not begun again', async t => {
  const folder = t.testdir()
  await createRun(folder, run)
  await appendCell(folder, cells[0]!)
  await t.rejects(createRun(folder, run), { code: 'bad_results', message: /holds a run already: --resume/ })
  t.equal((await openRun(folder)).cells.length, 1)
})

t.test('a line cut off by a crash is dropped, and the next cell does not run into it', async t => {
  const folder = t.testdir()
  await createRun(folder, run)
  await appendCell(folder, cells[0]!)
  await appendFile(join(folder, 'cells.jsonl'), JSON.stringify(cells[1]).slice(0, 500))
  const torn = await openRun(folder)
  t.match(torn, { isTorn: true, cells: { length: 1 } })
  t.equal(missingCells(run, torn.cells).length, 2)
  await appendCell(folder, cells[2]!)
  t.same(await openRun(folder), { run, cells: [cells[0], cells[2]], isTorn: false })
})

t.test('a line or a run of another kind is refused with its place', async t => {
  const folder = t.testdir()
  await createRun(folder, run)
  await appendCell(folder, cells[0]!)
  const file = join(folder, 'cells.jsonl')
  const whole = await readFile(file, 'utf8')
  await appendFile(file, '{"schema":1}\n')
  await t.rejects(openRun(folder), { code: 'bad_results', message: /cells\.jsonl, line 2: .*plan/ })
  await writeFile(file, `${whole.slice(1)}`)
  await t.rejects(openRun(folder), { code: 'bad_results', message: /cells\.jsonl, line 1 is not JSON/ })
  await writeFile(join(folder, 'run.json'), JSON.stringify({ ...run, schema: 2 }))
  await t.rejects(openRun(folder), { code: 'bad_results', message: /run\.json: \/schema/ })
  await t.rejects(openRun(join(folder, 'nowhere')), { code: 'bad_results', message: /nowhere has no run\.json/ })
})

t.test('a run is not gone on with under another model, payload, plan or target', t => {
  const { fingerprint } = run
  const other = (traits: object) => () => refuseOther(run, benchRun(cells, traits))
  t.throws(other({ protocol: 'batch', windows: 16 }), {
    code: 'different_run',
    message: 'cannot go on with this run, its protocol differs: it was "predict", now it is "batch"'
  })
  t.doesNotThrow(other({ protocol: 'predict', windows: 1 }), 'what an earlier run that names neither did')
  t.throws(other({ fingerprint: { ...fingerprint, modelDigest: 'xyz' } }), {
    code: 'different_run',
    message: /its modelDigest differs: it was "abc", now it is "xyz"/
  })
  t.throws(other({ fingerprint: { ...fingerprint, payloadDigest: 'xyz' } }), { message: /payloadDigest/ })
  t.throws(other({ plan: [plannedCell()] }), { message: /its plan differs$/ })
  t.throws(other({ target: 'http://127.0.0.1:9' }), { message: /target/ })
  t.doesNotThrow(other({ startedAt: 'later', fingerprint: { ...fingerprint, dirty: true } }))
  t.end()
})
