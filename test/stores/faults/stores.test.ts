import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { bodyOf, lstm } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { startService } from '../../support/service.js'
import { s3Client, startMinio } from '../../support/stores.js'

const TOKEN = 'token-of-the-store-tests'
const PREFIX = 'bundles/live'
const FILES = ['golden.json', 'model.onnx', 'model.json']

interface State {
  ready: boolean
  model: { name: string; sha256: string } | null
  last_promotion: { reason?: string } | null
  promotion: { source: string; stale: boolean }
}

t.test(
  'a replica without a model waits for its store, and an object that is broken or gone changes nothing',
  async t => {
    const minio = await startMinio()
    t.teardown(() => minio.stop())
    const client = s3Client(minio)
    t.teardown(() => client.destroy())
    const put = (file: string, Body: Buffer) =>
      client.send(new PutObjectCommand({ Bucket: minio.bucket, Key: `${PREFIX}/${file}`, Body }))
    const model = lstm()
    const service = await startService({
      env: {
        MODEL_SOURCE: 's3',
        S3_ENDPOINT: minio.endpoint,
        S3_BUCKET: minio.bucket,
        S3_PREFIX: PREFIX,
        S3_ACCESS_KEY_ID: minio.accessKeyId,
        S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
        ADMIN_TOKEN: TOKEN
      }
    })
    t.teardown(() => service.process.kill('SIGKILL'))
    const state = async () => (await (await fetch(`${service.url}/model`)).json()) as State
    const headers = { authorization: `Bearer ${TOKEN}` }
    const reload = async () => (await fetch(`${service.url}/admin/reload`, { method: 'POST', headers })).status
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(model, 0))
    }
    const predict = async () => (await fetch(`${service.url}/predict`, init)).status

    await eventually('the empty store is told', async () => (await state()).last_promotion?.reason === 'not_found')
    t.equal((await fetch(`${service.url}/readyz`)).status, 503)
    t.equal(await predict(), 503)

    for (const file of FILES) await put(file, readFileSync(`${model.folder}/${file}`))
    t.equal(await reload(), 200)
    t.match(await state(), {
      ready: true,
      model: { sha256: model.manifest.sha256 },
      promotion: { source: 's3', stale: false }
    })
    t.equal(await predict(), 200)

    const flipped = readFileSync(`${model.folder}/model.onnx`)
    flipped[1000]! ^= 1
    await put('model.onnx', flipped)
    t.equal(await reload(), 422)
    t.equal((await state()).last_promotion?.reason, 'checksum_mismatch')
    t.equal(await predict(), 200)

    await client.send(new DeleteObjectCommand({ Bucket: minio.bucket, Key: `${PREFIX}/model.onnx` }))
    t.equal(await reload(), 422)
    t.equal((await state()).last_promotion?.reason, 'not_found')
    t.equal(await predict(), 200)

    await minio.stop()
    t.equal(await reload(), 503)
    t.match(await state(), { last_promotion: { reason: 'registry_unavailable' }, promotion: { stale: true } })
    t.equal(await predict(), 200)
    t.notOk(
      service.lines.some(line => line.includes(minio.secretAccessKey)),
      'no secret is logged'
    )
    t.equal(await service.stop(), 0)
  }
)
