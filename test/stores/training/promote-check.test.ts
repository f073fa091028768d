import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { written } from '../../support/check.js'
import { follow } from '../../support/following.js'
import { promoted, refused } from '../../support/promotion.js'
import { askMlflow, newName, register, scored, stateOf, training } from '../../support/registry.js'
import { stores } from '../../support/stores.js'
import { changedBundle, misnamed, withOtherWeight } from '../../support/wrong-bundles.js'

const given = await stores()
t.teardown(() => given.stop())

/** Bundles that hold together, which is all that the registry itself could tell, and what the service says of them. */
const WRONG: Record<string, (t: Test) => string> = {
  external_data: () => 'test/fixtures/bundles/external-data',
  golden_mismatch: t => written(t.testdir(), changedBundle({ model: withOtherWeight })),
  signature_mismatch: t => written(t.testdir(), changedBundle({ model: misnamed })),
  manifest_invalid: t => written(t.testdir(), changedBundle({ manifest: manifest => void (manifest.window = 2000) }))
}

t.test('what no replica would load is not registered, and not promoted by those who registered it all the same', async all => {
  for (const [reason, make] of Object.entries(WRONG)) {
    await all.test(reason, async t => {
      const folder = make(t)
      const name = newName()
      const { code, stdout, stderr } = await training(given, 'register', '--bundle', folder, '--name', name)
      t.same([code, stdout], [2, ''])
      t.match(stderr, new RegExp(`^error: the service refuses the bundle: ${reason}: [^\n]+\n$`))
      t.match(await askMlflow(given.mlflow, `registered-models/get?name=${name}`), { error_code: /DOES_NOT_EXIST/ })

      // In a folder of the whole test's: this one's has the other bundle.
      await register(given, scored(all, 0.2), name)
      await promoted(given, name, '1')
      const forced = await training(given, 'register', '--bundle', folder, '--name', name, '--no-check')
      t.match(forced, { code: 0, stderr: /^warning: [^\n]+ left out \(--no-check\)\n$/ })
      const line = new RegExp(`^error: the service refuses the bundle: ${reason}: `)
      await refused(t, given, { name, args: ['2', '--force'], code: 2, line })
    })
  }
})

t.test('the service says the same of what --no-check let through', async t => {
  const name = newName()
  const folder = WRONG.external_data!(t)
  t.equal((await training(given, 'register', '--bundle', folder, '--name', name, '--no-check')).code, 0)
  const ended = await training(given, 'promote', '--name', name, '--version', '1', '--no-check')
  t.match(ended, { code: 0, stderr: /^warning: / })
  const replica = await follow(t, { ...given, name })
  await replica.service.line('external_data')
  t.match(await replica.state(), { ready: false, last_promotion: { outcome: 'refused', reason: 'external_data' } })
  t.equal(await replica.service.stop(), 0)
})

t.test('the check goes by the settings that the replicas have', async t => {
  const name = newName()
  await register(given, 'models/gru', name)
  const with_ = (env: Record<string, string>) => ({ ...given, env })
  const few = with_({ MAX_ROWS: '9' })
  await refused(t, few, { name, args: ['1'], code: 2, line: /^error: the service refuses the bundle: manifest_invalid: .*MAX_ROWS/ })
  const elsewhere = with_({ S3_BUCKET: given.s3.bucket, S3_PREFIX: 'other' })
  await refused(t, elsewhere, { name, args: ['1'], code: 2, line: /^error: the service refuses the bundle: bad_pointer: .*S3_PREFIX/ })
  const wrong = with_({ BATCH_CAP: 'many' })
  await refused(t, wrong, { name, args: ['1'], code: 2, line: /^error: the service's check could not be made: bad_setting: BATCH_CAP/ })
  await promoted(with_({ S3_BUCKET: given.s3.bucket, S3_PREFIX: given.s3.prefix }), name, '1')
})

t.test('a check that cannot be run, or does not say what it found, is no permission', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  const good = '{"ok": true}'
  const commands: Record<string, RegExp> = {
    '/nowhere/check': /cannot be run: No such file or directory; --no-check does without/,
    true: /ended with 0 and without a verdict: it printed nothing/,
    "sh -c 'echo no JSON; echo broken >&2; exit 1'": /ended with 1 and without a verdict: broken/,
    [`sh -c 'echo "$0"; exit 1' '${good}'`]: /ended with 1 and without a verdict/,
    [`sh -c 'echo "{}"'`]: /ended with 0 and without a verdict/,
    [`sh -c 'kill -9 $$'`]: /ended with -9 and without a verdict/,
    [`sh -c 'echo "$0"; exit 3' '{"ok": false, "retryable": true, "reason": "r", "message": "m"}'`]:
      /could not be made: r: m$/m,
    "sh -c 'open": /is no command of a shell/
  }
  for (const [command, said] of Object.entries(commands)) {
    const line = new RegExp(`^error: .*${said.source}`, 'm')
    await refused(t, given, { name, args: ['1', '--check', command], code: 2, line })
  }
  await refused(t, { ...given, env: { GRU_CHECK: 'false' } }, { name, args: ['1'], code: 2, line: /^error: .*\(false\) ended with 1/ })
  const both = await training(given, 'promote', '--name', name, '--version', '1', '--check', 'true', '--no-check')
  t.match(both, { code: 2, stderr: /not allowed with argument/ })
  await promoted({ ...given, env: { GRU_CHECK: `sh -c 'echo "$0"' '${good}'` } }, name, '1')
})

t.test('a version is promoted only by the name of its model', async t => {
  const [ours, theirs] = [newName(), newName()]
  await register(given, scored(t, 0.2), theirs)
  await register(given, scored(t, 0.1), ours)
  const named = { ...given, env: { MODEL_NAME: theirs } }
  const { code, stderr } = await training(named, 'promote', '--version', '1')
  t.equal(code, 2)
  t.match(stderr, /the following arguments are required: --name/)
  t.same([(await stateOf(given.mlflow, theirs)).aliases, (await stateOf(given.mlflow, ours)).aliases], [{}, {}])
  await promoted(given, ours, '1')
  t.same([(await stateOf(given.mlflow, theirs)).aliases, (await stateOf(given.mlflow, ours)).aliases], [{}, { promoted: '1' }])
})

t.test('each command of the docs and of compose.yaml that promotes names the model', async t => {
  const files = ['README.md', 'compose.yaml', 'docs/guides/operations.md', 'training/README.md', 'docs/reference/promotion-events.md']
  const lines = files.flatMap(file => readFileSync(file, 'utf8').split('\n').filter(line => /\bpromote --/.test(line)))
  t.ok(lines.length >= 4)
  for (const line of lines) t.match(line, / promote --name \S+ --version /)
})
