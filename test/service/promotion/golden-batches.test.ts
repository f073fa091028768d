import t from 'tap'
import type { BundleFiles } from '../../../src/model/bundle/bundle.js'
import { runInSandbox } from '../../../src/model/promotion/sandbox.js'
import { readLocalBundle } from '../../../src/model/bundle/files.js'
import * as deceive from '../../support/deceivers.js'
import { rolloutOf } from '../../support/pool.js'
import { refusedAs } from '../../support/refused.js'
import { withModel } from '../../support/wrong-bundles.js'

const CAP = 16
const limits = {
  timeoutMs: 60_000,
  memoryMb: 1024,
  batchCap: CAP,
  entry: new URL('../../../dist/trial.js', import.meta.url)
}
const never = new AbortController().signal
const DECEIVERS = 'test/fixtures/deceivers'

/** The bundle with so many of its golden windows. */
function withWindows(files: BundleFiles, count: number): BundleFiles {
  const golden = JSON.parse(files.golden) as { windows: unknown[] }
  return { ...files, golden: JSON.stringify({ ...golden, windows: golden.windows.slice(0, count) }) }
}

const gru = await readLocalBundle('models/gru')
const made = (model: Uint8Array, windows = 64) => withWindows(withModel(gru, model), windows)
const at = (size: number) => new RegExp(`, in a batch of ${size} rows`)

const WRONG: Record<string, [BundleFiles, RegExp]> = {
  'a GRU along the batch axis, one golden window': [
    await readLocalBundle(`${DECEIVERS}/batch-and-time-swapped`),
    at(2)
  ],
  'an initial state for one row': [
    await readLocalBundle(`${DECEIVERS}/initial-state-frozen`),
    /^a batch of 2 rows cannot be run: /
  ],
  'half the answer at two rows': [await readLocalBundle(`${DECEIVERS}/wrong-at-batch-2`), at(2)]
}
for (const size of [1, 3, 5, 7, 13, 15, 16]) {
  const message = size === 1 ? /, in a batch of 1 row/ : at(size)
  WRONG[`wrong at ${size} rows, 64 golden windows`] = [made(deceive.wrongAtSize(gru.model, size)), message]
  WRONG[`wrong at ${size} rows, one golden window`] = [made(deceive.wrongAtSize(gru.model, size), 1), message]
}
for (const place of [1, 6, 15]) {
  WRONG[`wrong in place ${place}`] = [made(deceive.wrongAtPlace(gru.model, place)), at(place + 1)]
  WRONG[`wrong in place ${place}, one golden window`] = [made(deceive.wrongAtPlace(gru.model, place), 1), at(place + 1)]
}
for (const windows of [1, 2, 64]) {
  const many = `${windows} golden windows`
  WRONG[`nearer to the batch's mean, ${many}`] = [made(deceive.towardsMean(gru.model), windows), at(2)]
  WRONG[`answers that go to the neighbour, ${many}`] = [made(deceive.turned(gru.model), windows), at(2)]
  WRONG[`the first row's answer for all, ${many}`] = [made(deceive.firstForAll(gru.model), windows), at(2)]
  WRONG[`one answer for the batch, ${many}`] = [
    made(deceive.onlyFirst(gru.model), windows),
    // The trial says what it got; a worker's run has failed, and its cause is in the log.
    /gives 11 values instead of 22|^a batch of 2 rows cannot be run: /
  ]
}
for (const most of [1, 2, 14, 15]) {
  const message = new RegExp(`^a batch of ${most + 1} rows cannot be run: `)
  WRONG[`no run above ${most} rows`] = [made(deceive.failsAbove(gru.model, most)), message]
}

t.test('a model whose answer depends on its batch is refused by its trial, which names the batch', async t => {
  // Each is a process of its own: one of each kind, and the workers of the next test all of them.
  const kinds = new Map(Object.entries(WRONG).map(entry => [entry[0].replace(/\d+.*/, ''), entry] as const))
  for (const [what, [files, message]] of kinds.values()) {
    await t.rejects(runInSandbox(files, limits, never), refusedAs('golden_mismatch', message), what)
  }
})

t.test('and by the workers that are to serve it, where it comes without a trial', async t => {
  const { rollout, source, active, seen } = rolloutOf('models/gru', { batchCap: CAP })
  const first = await rollout.run()
  for (const [what, [files, message]] of Object.entries(WRONG)) {
    source.change = () => files
    await t.rejects(rollout.run(), refusedAs('golden_mismatch', message), what)
    t.equal(active.serving, first)
  }
  t.equal(seen.rescues, 0, 'none was run row by row')
  t.match(seen.failures[0], { rows: 2, cause: /initial_h/ }, 'what onnxruntime says of a batch that fails is told')
  await rollout.close()
})

t.test('a model that is right in every batch that the service runs goes live, with as few windows as one', async t => {
  const good: Record<string, BundleFiles> = {
    'the same network without a fault': await readLocalBundle(`${DECEIVERS}/good`),
    'with one golden window': withWindows(await readLocalBundle(`${DECEIVERS}/good`), 1),
    'the committed model with one golden window': withWindows(gru, 1),
    'an LSTM with times and one golden window': withWindows(
      await readLocalBundle('test/fixtures/bundles/lstm-small'),
      1
    ),
    'the slow one with one golden window': withWindows(await readLocalBundle('test/fixtures/bundles/slow'), 1),
    'wrong in a size that is above the cap': made(deceive.wrongAtSize(gru.model, CAP + 1))
  }
  for (const [what, files] of Object.entries(good)) {
    await t.resolves(runInSandbox(files, limits, never), what)
    const { rollout, source } = rolloutOf('models/gru', { batchCap: CAP })
    source.change = () => files
    await t.resolves(rollout.run(), what)
    await rollout.close()
  }
  for (const batchCap of [1, 2, 3, 64]) {
    await t.resolves(runInSandbox(gru, { ...limits, batchCap }, never), `a cap of ${batchCap}`)
  }
})

t.test('golden windows that hold nothing but minima are refused: rows cannot be told apart by them', async t => {
  const files = withWindows(await readLocalBundle('test/fixtures/bundles/slow'), 4)
  const golden = JSON.parse(files.golden) as { windows: { window: number[][] }[] }
  const empty = { ...files, golden: JSON.stringify({ ...golden, windows: golden.windows.slice(1, 2) }) }
  t.same(
    golden.windows[1]!.window,
    [
      [0, 0],
      [0, 0]
    ],
    'all zeros, which is what the manifest allows at least'
  )
  await t.rejects(runInSandbox(empty, limits, never), refusedAs('golden_invalid'))
})
