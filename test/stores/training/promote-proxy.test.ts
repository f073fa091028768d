import t from 'tap'
import { follow } from '../../support/following.js'
import { promoted, refused, versionWith } from '../../support/promotion.js'
import { askMlflow, newName, register, scored, training } from '../../support/registry.js'
import { startKafka, startMinio, startMlflow } from '../../support/stores.js'

const [kafka, minio] = await Promise.all([startKafka(), startMinio()])
t.teardown(() => Promise.all([kafka.stop(), minio.stop()]))

interface Version {
  model_version: { source: string; tags: { key: string; value: string }[] }
}

t.test('an MLflow as it starts by itself is registered in, promoted in and served from', async t => {
  for (const [where, s3] of [['a folder', undefined], ['a bucket', minio]] as const) {
    await t.test(`with its artifacts in ${where}`, async t => {
      const mlflow = await startMlflow({ s3, isProxy: true })
      t.teardown(() => mlflow.stop())
      // Whoever promotes needs no key of the bucket.
      const given = { mlflow, kafka }
      const name = newName()
      await register(given, 'models/gru', name)
      const { model_version: version } = await askMlflow<Version>(mlflow, `model-versions/get?name=${name}&version=1`)
      t.match(version.source, /^mlflow-artifacts:\/\d+\/[0-9a-f]{32}\/artifacts\/model$/)
      await promoted(given, name, '1')
      const replica = await follow(t, { ...given, name })
      await replica.serves('1')
      await register(given, scored(t, 0.1), name)
      await promoted(given, name, '2', '--force')
      await replica.serves('2')
      t.equal(await replica.service.stop(), 0)

      const sha256 = version.tags.find(({ key }) => key === 'sha256')!.value
      await versionWith(given, name, { sha256 }, `${version.source}/nowhere`)
      const line = /^error: version 3 of .* cannot be read from mlflow-artifacts:\/.*\/nowhere: /
      await refused(t, given, { name, args: ['3', '--force'], code: 2, line })
      await versionWith(given, name, { sha256 }, `${version.source}/.hidden`)
      await refused(t, given, { name, args: ['4', '--force'], code: 2, line: /^error: version 4 of / })
    })
  }
})

t.test('a store behind MLflow that is gone is said in one line, and no version is made', async t => {
  const own = await startMinio()
  t.teardown(() => own.stop())
  const mlflow = await startMlflow({ s3: own, isProxy: true })
  t.teardown(() => mlflow.stop())
  const name = newName()
  await register({ mlflow }, 'models/gru', name)
  await own.kill()
  const registered = await training({ mlflow }, 'register', '--name', name)
  t.match(registered, { code: 2, stderr: /^error: mlflow-artifacts:\/[^\n]*\/model\/model\.onnx: [^\n]+\n$/ })
  const line = /^error: version 1 of .* cannot be read from mlflow-artifacts:/
  await refused(t, { mlflow, kafka }, { name, args: ['1'], code: 2, line })
  await refused(t, { mlflow, kafka }, { name, args: ['2'], code: 2, line: /Model Version .* not found/ })
})
