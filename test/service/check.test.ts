import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Manifest } from '../../src/model/bundle/manifest.js'
import { readLocalBundle } from '../../src/model/bundle/files.js'
import { checked, startCheck, written } from '../support/check.js'
import { eventually } from '../support/eventually.js'
import { greedy } from '../support/onnx-bytes.js'
import { childrenOf } from '../support/process-facts.js'
import { changedBundle, endless, misnamed, withModel, withNan, withOtherWeight } from '../support/wrong-bundles.js'

const SHA256 = execFileSync('sha256sum', ['models/gru/model.onnx'], { encoding: 'utf8' }).slice(0, 64)
const whole = changedBundle({})
const flipped = changedBundle({})
flipped.model[1000]! ^= 1

const nameless = (manifest: Manifest) => void (manifest.name = '../..')

t.test('a good bundle is found good, in a line for people or as JSON, and its folder is only read', async t => {
  const folder = t.testdir()
  cpSync('models/gru', folder, { recursive: true })
  chmodSync(folder, 0o555)
  const state = () => readdirSync(folder).map(name => [name, statSync(`${folder}/${name}`).mtimeMs])
  const before = state()
  const { code, stdout, stderr } = await startCheck([folder]).ended
  t.same([code, stderr], [0, ''])
  t.equal(stdout, `good: gru-traffic 1, sha256 ${SHA256}; no replica fetches README.md\n`)
  const known = { name: 'gru-traffic', version: '1', sha256: SHA256, ignored: ['README.md'] }
  t.same(await checked([folder]), [0, { ok: true, reason: null, message: null, retryable: false, ...known }])
  t.same(state(), before)
  chmodSync(folder, 0o755)
})

t.test('another architecture, other columns and another window are as good', async t => {
  for (const name of ['lstm-small', 'slow']) {
    t.match(await checked([`test/fixtures/bundles/${name}`]), [0, { ok: true }], name)
  }
})

t.test('what a replica would refuse is refused with exit 1 and the reason of the replica', async t => {
  const folder = t.testdir()
  const slow = await readLocalBundle('test/fixtures/bundles/slow')
  const wrong = {
    checksum_mismatch: flipped,
    manifest_invalid: changedBundle({ manifest: nameless }),
    golden_invalid: changedBundle({ golden: golden => void golden.windows[0]!.window.pop() }),
    load_failed: withModel(whole, Buffer.from('no protobuf')),
    signature_mismatch: changedBundle({ model: misnamed }),
    golden_mismatch: changedBundle({ model: withOtherWeight }),
    sandbox_oom: withModel(whole, greedy(whole.model, 8)),
    sandbox_timeout: endless(slow)
  }
  for (const [reason, files] of Object.entries(wrong)) {
    const env: Record<string, string> = reason === 'sandbox_timeout' ? { SANDBOX_TIMEOUT_MS: '3000' } : {}
    const [code, verdict] = await checked([written(`${folder}/${reason}`, files)], env)
    t.match([code, verdict], [1, { ok: false, reason, retryable: false }], reason)
    t.match(verdict.message, /^[ -~]{10,}$/, 'one line says more')
  }
  const nan = written(`${folder}/nan`, changedBundle({ model: withNan }))
  t.match(await checked([nan]), [1, { reason: 'golden_mismatch' }])
})

t.test('weights in a file beside the model, as torch writes them by itself, are refused', async t => {
  const folder = 'test/fixtures/bundles/external-data'
  t.match(await checked([folder]), [1, { reason: 'external_data', ignored: ['model.onnx.data'] }])
  const { code, stdout, stderr } = await startCheck([folder]).ended
  t.same([code, stdout], [1, ''])
  t.match(stderr, /^refused: external_data: [^\n]+\n$/)
})

t.test("the replica's settings are heeded, and those that are none of the check's are not", async t => {
  const gru = 'models/gru'
  t.match(await checked([gru], { MAX_ROWS: '9' }), [1, { reason: 'manifest_invalid', message: /MAX_ROWS/ }])
  t.match(await checked([gru], { MODEL_MAX_BYTES: '641922' }), [1, { reason: 'too_large', message: /^model.onnx/ }])
  t.match(await checked([gru], { MODEL_MAX_BYTES: '641923' }), [0, { ok: true }])
  t.match(await checked([gru], { SANDBOX_TIMEOUT_MS: '100' }), [1, { reason: 'sandbox_timeout' }])
  const foreign = { PORT: 'x', MODEL_SOURCE: 'mlflow', DEADLINE_MS: '-1', BATCH_CAP: '3', WORKERS: '2' }
  t.match(await checked([gru], foreign), [0, { ok: true }])
})

t.test('where there is nothing to check it ends with 2 and says why', async t => {
  const folder = t.testdir()
  const half = written(`${folder}/half`, whole)
  rmSync(`${half}/golden.json`)
  t.match(
    await checked([half]),
    [1, { reason: 'not_found', message: 'the bundle has no golden.json' }],
    'a file is missing'
  )
  const piped = written(`${folder}/piped`, whole)
  rmSync(`${piped}/model.onnx`)
  execFileSync('mkfifo', [`${piped}/model.onnx`])
  t.match(await checked([piped]), [2, { reason: 'unreadable', message: 'model.onnx is not a regular file' }], 'a pipe')
  rmSync(`${piped}/model.onnx`)
  mkdirSync(`${piped}/model.onnx`)
  t.match(
    await checked([piped]),
    [2, { reason: 'unreadable', message: 'model.onnx is not a regular file' }],
    'a folder'
  )
  writeFileSync(`${folder}/file`, '')
  const unreadable = { reason: 'unreadable', message: /^the folder cannot be read/ }
  t.match(await checked([`${folder}/none`]), [2, unreadable], 'no folder')
  t.match(await checked([`${folder}/file`]), [2, unreadable], 'a file in its place')
  t.match(await checked(['models/gru'], { BATCH_CAP: '0' }), [2, { reason: 'bad_setting', message: /^BATCH_CAP / }])
  const queue = { BATCH_CAP: '16', QUEUE_ROWS: '8' }
  t.match(await checked(['models/gru'], queue), [2, { reason: 'bad_setting', message: /QUEUE_ROWS/ }])
  for (const args of [[], ['a', 'b'], ['--wrong', 'a'], ['--address']]) {
    t.match(await checked(args), [2, { reason: 'usage' }], args.join(' '))
  }
  const { code, stdout } = await startCheck(['--help']).ended
  t.equal(code, 0)
  t.match(stdout, /^usage: node dist\/check\.js .* DIR$/m)
})

t.test('an address that no replica would follow is refused before anything is read', async t => {
  const env = { MLFLOW_TRACKING_URI: 'http://mlflow:5000', S3_BUCKET: 'models', S3_PREFIX: 'mlflow' }
  const at = (address: string, settings: Record<string, string> = env) =>
    checked(['--address', address, 'models/gru'], settings)
  t.match(await at('s3://models/mlflow/1/a/artifacts/model'), [0, { ok: true }])
  t.match(await at('mlflow-artifacts:/1/a/artifacts/model'), [0, { ok: true }])
  const { S3_BUCKET: _, S3_PREFIX: __, ...registry } = env
  t.match(await at('s3://any/where', registry), [0, { ok: true }], 'without a bucket in the settings')
  const wrong = {
    's3://other/mlflow/a': env,
    's3://models/x': env,
    'mlflow-artifacts://other/a': registry,
    's3://a b/c': registry
  }
  for (const [address, settings] of Object.entries(wrong)) {
    t.match(await at(address, settings), [1, { reason: 'bad_pointer', sha256: null }], address)
  }
})

t.test('a check that is ended leaves no process behind, and is no verdict on the bundle', async t => {
  const folder = written(t.testdir(), endless(await readLocalBundle('test/fixtures/bundles/slow')))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const check = startCheck(['--json', folder], { SANDBOX_TIMEOUT_MS: '600000' })
    const trial = await eventually('the trial runs', () => {
      const [rehearsal] = childrenOf(check.pid)
      const [found] = rehearsal === undefined ? [] : childrenOf(Number(rehearsal))
      return found
    })
    check.kill(signal)
    const { code, stdout } = await check.ended
    t.match([code, JSON.parse(stdout)], [3, { ok: false, reason: 'superseded', retryable: true }], signal)
    t.throws(() => statSync(`/proc/${trial}`), { code: 'ENOENT' }, 'the trial has ended')
  }
})

t.test('a bundle whose process dies is refused, not taken for one that was not checked', async t => {
  const folder = written(t.testdir(), endless(await readLocalBundle('test/fixtures/bundles/slow')))
  const check = startCheck(['--json', folder], { SANDBOX_TIMEOUT_MS: '60000' })
  const rehearsal = await eventually('the trial runs', () => {
    const [found] = childrenOf(check.pid)
    return found !== undefined && childrenOf(Number(found)).length > 0 && found
  })
  for (const trial of childrenOf(Number(rehearsal))) process.kill(Number(trial), 'SIGKILL')
  t.match(JSON.parse((await check.ended).stdout), { ok: false, reason: 'sandbox_oom' })
})

t.test('docs/reference/model-bundle.md names the fields of the JSON', async t => {
  const [, verdict] = await checked(['models/gru'])
  const documented = readFileSync('docs/reference/model-bundle.md', 'utf8').split('## The check\n')[1]!
  for (const field of Object.keys(verdict)) t.match(documented, new RegExp(`\`${field}\``), field)
})
