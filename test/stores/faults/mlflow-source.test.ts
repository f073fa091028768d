import { PutObjectCommand } from '@aws-sdk/client-s3'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { gru, lstm, type TestBundle } from '../../support/bundles.js'
import { askMlflow } from '../../support/registry.js'
import { startService } from '../../support/service.js'
import { s3Client, startMinio, startMlflow } from '../../support/stores.js'

const TOKEN = 'token-of-the-mlflow-tests'
const NAME = 'cells'
const FILES = ['golden.json', 'model.onnx', 'model.json']

interface State {
  model: { version: string; sha256: string }
  last_promotion: { reason?: string }
  promotion: { promoted_version: string; registry_up: boolean }
}

t.test('the alias in MLflow says what serves; what it names elsewhere, or not at all, changes nothing', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const mlflow = await startMlflow({ s3: minio })
  t.teardown(() => mlflow.stop())
  const client = s3Client(minio)
  t.teardown(() => client.destroy())
  const version = (source: string) => askMlflow(mlflow, 'model-versions/create', { name: NAME, source })
  const upload = async (bundle: TestBundle, folder: string) => {
    for (const file of FILES) {
      const Body = readFileSync(`${bundle.folder}/${file}`)
      await client.send(new PutObjectCommand({ Bucket: minio.bucket, Key: `${minio.prefix}/${folder}/${file}`, Body }))
    }
    await version(`s3://${minio.bucket}/${minio.prefix}/${folder}`)
  }
  const promote = (number: string) =>
    askMlflow(mlflow, 'registered-models/alias', { name: NAME, alias: 'promoted', version: number })
  await askMlflow(mlflow, 'registered-models/create', { name: NAME })
  await upload(gru(), 'first')
  await upload(lstm(), 'second')
  await version('s3://other-bucket/mlflow/first')
  await promote('1')

  const service = await startService({
    env: {
      MODEL_SOURCE: 'mlflow',
      MLFLOW_TRACKING_URI: mlflow.url,
      MODEL_NAME: NAME,
      S3_ENDPOINT: minio.endpoint,
      S3_BUCKET: minio.bucket,
      S3_PREFIX: minio.prefix,
      S3_ACCESS_KEY_ID: minio.accessKeyId,
      S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
      ADMIN_TOKEN: TOKEN
    }
  })
  t.teardown(() => service.process.kill('SIGKILL'))
  const state = async () => (await (await fetch(`${service.url}/model`)).json()) as State
  const headers = { authorization: `Bearer ${TOKEN}` }
  const reload = async () => (await fetch(`${service.url}/admin/reload`, { method: 'POST', headers })).status

  t.equal(await reload(), 200)
  t.match(await state(), { model: { version: '1', sha256: gru().manifest.sha256 } })
  await promote('2')
  t.equal(await reload(), 200)
  const second = { version: '2', sha256: lstm().manifest.sha256 }
  t.match(await state(), { model: second, promotion: { promoted_version: '2', registry_up: true } })

  await promote('3')
  t.equal(await reload(), 422)
  t.match(await state(), { model: second, last_promotion: { reason: 'bad_pointer' } })

  const gone = `${mlflow.url}/api/2.0/mlflow/registered-models/alias?name=${NAME}&alias=promoted`
  t.equal(
    (
      await fetch(gone, {
        method: 'DELETE',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: NAME, alias: 'promoted' })
      })
    ).status,
    200
  )
  t.equal(await reload(), 422)
  t.match(await state(), { model: second, last_promotion: { reason: 'not_found' }, promotion: { registry_up: true } })

  await mlflow.stop()
  t.equal(await reload(), 503)
  t.match(await state(), {
    model: second,
    last_promotion: { reason: 'registry_unavailable' },
    promotion: { registry_up: false }
  })
  t.equal(await service.stop(), 0)
})
