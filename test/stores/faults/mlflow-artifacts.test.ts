import t from 'tap'
import { follow } from '../../support/following.js'
import { type Candidate, published, shiftedBy, withModel } from '../../support/registered.js'
import { startMinio, startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

/** Nothing here waits for a registry that is silent, and a host that does much else is slow. */
const PATIENT = { RESOLVE_TIMEOUT_MS: '60000', SANDBOX_TIMEOUT_MS: '120000', POLL_INTERVAL_MS: '0' }
const live = { 1: withModel(), 2: shiftedBy(1e6) }

const mlflow = await startMlflow({})
t.teardown(() => mlflow.stop())

t.test('a version whose files MLflow hands out goes live and is swapped, without a setting of S3', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const behindBucket = await startMlflow({ s3: minio, isProxy: true })
  t.teardown(() => behindBucket.stop())
  for (const [where, server] of Object.entries({ folder: mlflow, bucket: behindBucket })) {
    const model = await published(t, { mlflow: server }, live)
    const cache = { CACHE_DIR: `${t.testdir()}/${where}` }
    const replica = await follow(t, { mlflow: server, name: model.name }, { env: { ...PATIENT, ...cache } })
    await replica.serves('1')
    await underLoad(t, replica.service, { ...GENTLE, versions: live }, async () => {
      await model.promote('2')
      const [ordered] = await Promise.all([replica.admin('reload'), replica.serves('2')])
      t.match(ordered, { status: 200, json: { model: { version: '2' } } }, where)
    })
    t.match(await replica.state(), { promotion: { location: `${model.home}/2` } })
    t.equal(await replica.service.stop(), 0)
    await server.kill()
    const again = await follow(t, { mlflow: server, name: model.name }, { env: { ...PATIENT, ...cache } })
    await again.serves('2')
    t.match((await again.admin('rollback')).status, 200, 'both versions are in the cache')
    await again.serves('1')
    t.equal(await again.service.stop(), 0)
    await server.restart()
  }
})

t.test('a file that is not there, in a folder or in a bucket, is not_found and not an outage', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const behindBucket = await startMlflow({ s3: minio, isProxy: true })
  t.teardown(() => behindBucket.stop())
  for (const server of [mlflow, behindBucket]) {
    const model = await published(t, { mlflow: server }, live)
    const replica = await follow(t, { mlflow: server, name: model.name }, { env: PATIENT })
    await replica.serves('1')
    const { 'golden.json': _, ...others } = live[2].files
    const half = await model.add(others as Candidate['files'])
    for (const version of [await model.point(`${model.home}/nowhere`), half]) {
      await model.promote(version)
      t.match(await replica.admin('reload'), { status: 422, json: { error: { message: /^not_found: / } } })
      t.match(await replica.state(), { model: { version: '1' }, promotion: { registry_up: true } })
    }
    t.equal(await replica.service.stop(), 0)
  }
  // A store behind MLflow that is gone is no missing file.
  const model = await published(t, { mlflow: behindBucket }, live)
  await minio.kill()
  const replica = await follow(
    t,
    { mlflow: behindBucket, name: model.name },
    { env: { ...PATIENT, FETCH_TIMEOUT_MS: '3000' } }
  )
  await replica.service.line('storage_unavailable')
  t.match(await replica.state(), { ready: false, last_promotion: { reason: 'storage_unavailable' } })
  await minio.restart()
  await replica.serves('1')
  t.equal(await replica.service.stop(), 0)
})

t.test('an address in S3 is refused by a replica without a bucket, which names the variable', async t => {
  const model = await published(t, { mlflow }, live)
  const replica = await follow(t, { mlflow, name: model.name }, { env: PATIENT })
  await replica.serves('1')
  await model.promote(await model.point('s3://models/mlflow/1'))
  t.match(await replica.admin('reload'), { status: 422, json: { error: { message: /^bad_pointer: .*S3_BUCKET/ } } })
  t.equal(await replica.service.stop(), 0)
})
