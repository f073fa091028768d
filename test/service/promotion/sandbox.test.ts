import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { runInSandbox } from '../../../src/model/promotion/sandbox.js'
import { readLocalBundle } from '../../../src/model/bundle/files.js'
import { inspectGraph } from '../../../src/model/bundle/inspect.js'
import { openSession } from '../../../src/model/inference/worker/onnx-session.js'
import { greedy, reading } from '../../support/onnx-bytes.js'
import { childrenOf } from '../../support/process-facts.js'
import { refusedAs } from '../../support/refused.js'
import { endless, withModel } from '../../support/wrong-bundles.js'

const entry = new URL('../../../dist/trial.js', import.meta.url)
const LIMITS = { timeoutMs: 60_000, memoryMb: 1024, batchCap: 16, entry }
const never = new AbortController().signal

t.test('a bundle that answers as its trainer did passes its trial', async t => {
  for (const folder of ['models/gru', 'test/fixtures/bundles/lstm-small']) {
    await t.resolves(runInSandbox(await readLocalBundle(folder), LIMITS, never), folder)
  }
})

t.test('a model that takes more memory than it may is refused', async t => {
  const files = await readLocalBundle('models/gru')
  await t.resolves(runInSandbox(withModel(files, greedy(files.model, 1 / 2 ** 10)), LIMITS, never), 'a MiB')
  await t.rejects(runInSandbox(withModel(files, greedy(files.model, 8)), LIMITS, never), refusedAs('sandbox_oom'))
})

t.test('a model that does not end is ended, and leaves no process', async t => {
  const files = endless(await readLocalBundle('test/fixtures/bundles/slow'))
  await t.rejects(runInSandbox(files, { ...LIMITS, timeoutMs: 4000 }, never), refusedAs('sandbox_timeout'))
  t.same(childrenOf(process.pid), [])
})

t.test('a trial ends at once for another order', async t => {
  const files = endless(await readLocalBundle('test/fixtures/bundles/slow'))
  const order = new AbortController()
  const trial = runInSandbox(files, LIMITS, order.signal)
  order.abort()
  await t.rejects(trial, refusedAs('superseded'))
  t.same(childrenOf(process.pid), [])
})

t.test('an answer that is off is refused before the model is near a caller', async t => {
  const files = await readLocalBundle('models/gru')
  const golden = JSON.parse(files.golden) as { windows: { forecast: number[] }[] }
  golden.windows[5]!.forecast[0]! *= 1.001
  const off = { ...files, golden: JSON.stringify(golden) }
  await t.rejects(runInSandbox(off, LIMITS, never), refusedAs('golden_mismatch'))
})

t.test('a host that has no file descriptors left for the trial says nothing against the bundle', async t => {
  const files = await readLocalBundle('models/gru')
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`])
  const [, before] = /open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))!
  const spare = Math.max(...readdirSync('/proc/self/fd').map(Number)) + 20
  limit(String(spare))
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    t.match(error, { code: 'EMFILE' })
  }
  const trial = runInSandbox(files, LIMITS, never)
  trial.catch(() => undefined)
  taken.forEach(closeSync)
  limit(before!)
  await t.rejects(trial, refusedAs('sandbox_unavailable', /EMFILE/))
  await t.resolves(runInSandbox(files, LIMITS, never), 'and another try finds it good')
})

t.test('a host on which the trial cannot be run says nothing against the bundle', async t => {
  const { execPath } = process
  t.teardown(() => void (process.execPath = execPath))
  process.execPath = '/no/such/node'
  await t.rejects(runInSandbox(await readLocalBundle('models/gru'), LIMITS, never), refusedAs('sandbox_unavailable'))
})

t.test('a model is tried in an empty folder: a path in it finds nothing where the service was started', async t => {
  const files = await readLocalBundle('models/gru')
  const here = process.cwd()
  t.teardown(() => process.chdir(here))
  process.chdir(t.testdir({ 'weights.bin': 'x'.repeat(100) }))
  const model = reading(files.model, 'weights.bin')
  t.throws(() => inspectGraph(model), refusedAs('external_data'), 'the inspector is not asked here')
  await t.resolves(openSession(model), 'onnxruntime opens the file in the folder that it is in')
  await t.rejects(runInSandbox(withModel(files, model), LIMITS, never), refusedAs('load_failed', /weights\.bin/))
})

t.test('a host without a place for an empty folder cannot try a model, which says nothing against it', async t => {
  const { TMPDIR } = process.env
  t.teardown(() => (TMPDIR === undefined ? delete process.env.TMPDIR : (process.env.TMPDIR = TMPDIR)))
  process.env.TMPDIR = `${t.testdir()}/none`
  const files = await readLocalBundle('models/gru')
  await t.rejects(runInSandbox(files, LIMITS, never), refusedAs('sandbox_unavailable', /TMPDIR.*ENOENT/))
})
