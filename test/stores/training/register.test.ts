import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { askMlflow, newName, register, scored, training } from '../../support/registry.js'
import { s3Client, startMinio, startMlflow, stores } from '../../support/stores.js'

const given = await stores()
t.teardown(() => given.stop())

interface Runs {
  runs?: { info: { status: string }; data: { metrics: Keyed[]; params: Keyed[] } }[]
}
type Keyed = { key: string; value: unknown }

async function runsOf(experiment: string): Promise<NonNullable<Runs['runs']>> {
  const path = `experiments/get-by-name?experiment_name=${experiment}`
  const found = await askMlflow<{ experiment: { experiment_id: string } }>(given.mlflow, path)
  const { runs = [] } = await askMlflow<Runs>(given.mlflow, 'runs/search', { experiment_ids: [found.experiment.experiment_id] })
  return runs
}

const values = (list: Keyed[]) => Object.fromEntries(list.map(({ key, value }) => [key, value]))

t.test('register logs the run, stores the bundle byte by byte and makes the next version', async t => {
  const name = newName()
  const printed = await register(given, 'models/gru', name)
  const sha256 = createHash('sha256').update(readFileSync('models/gru/model.onnx')).digest('hex')
  t.match(printed, { name, version: '1', sha256, avg5_nrmse: 0.711895 })

  type Version = { model_version: { source: string; run_id: string; status: string; tags: Keyed[] } }
  const { model_version: version } = await askMlflow<Version>(given.mlflow, `model-versions/get?name=${name}&version=1`)
  t.equal(version.run_id, printed.run_id)
  t.equal(version.status, 'READY')
  t.match(values(version.tags), { sha256, score: '0.711895', score_metric: 'avg5_nrmse' })

  const source = new URL(version.source)
  t.equal(source.hostname, given.s3.bucket)
  const client = s3Client(given.s3)
  t.teardown(() => client.destroy())
  const prefix = source.pathname.slice(1)
  const { Contents } = await client.send(
    new ListObjectsV2Command({ Bucket: given.s3.bucket, Prefix: prefix })
  )
  t.same(
    Contents!.map(({ Key }) => Key),
    ['golden.json', 'model.json', 'model.onnx'].map(file => `${prefix}/${file}`)
  )
  for (const file of ['golden.json', 'model.json', 'model.onnx']) {
    const object = new GetObjectCommand({ Bucket: given.s3.bucket, Key: `${prefix}/${file}` })
    const stored = await (await client.send(object)).Body!.transformToByteArray()
    t.ok(Buffer.from(stored).equals(readFileSync(`models/gru/${file}`)), file)
  }

  const [run] = await runsOf(name)
  t.equal(run!.info.status, 'FINISHED')
  t.match(values(run!.data.metrics), { 'test.avg5_nrmse': 0.711895, 'test.targets.down.nrmse': 0.491577 })
  t.match(values(run!.data.params), { 'architecture.hidden_size': '128', window: '10', 'training.seed': '0' })

  t.match(await register(given, 'models/gru', name), { version: '2' })
})

t.test('a bundle that does not hold together is refused in one line, and nothing is registered', async t => {
  const name = newName()
  const refused = async (t: Test, folder: string, message: RegExp) => {
    const { code, stdout, stderr } = await training(given, 'register', '--bundle', folder, '--name', name)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, message)
    t.equal(stderr.trim().split('\n').length, 1)
  }
  await refused(t, `${t.testdirName}/none`, /^error: .*none\/model\.onnx: No such file or directory$/m)

  const folder = scored(t, 0.1)
  writeFileSync(`${folder}/model.onnx`, 'other')
  const wrong = createHash('sha256').update('other').digest('hex')
  await refused(t, folder, new RegExp(`model\\.json: sha256 is [0-9a-f]{64}, that of model\\.onnx ${wrong}$`, 'm'))

  const manifest = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as object
  writeFileSync(`${folder}/model.json`, JSON.stringify({ ...manifest, run_id: 7 }))
  await refused(t, folder, /model\.json: run_id must be a text$/m)
  writeFileSync(`${folder}/model.json`, '{')
  await refused(t, folder, /model\.json is not JSON: /)
  rmSync(`${folder}/golden.json`)
  await refused(t, folder, /golden\.json: No such file or directory$/m)

  t.match(await askMlflow(given.mlflow, `registered-models/get?name=${name}`), { error_code: 'RESOURCE_DOES_NOT_EXIST' })
})

t.test('a registry that is not there, or not an HTTP one, is said in one line', async t => {
  const at = async (url: string) => {
    const { code, stderr } = await training({ ...given, mlflow: { url } }, 'register')
    t.equal(code, 2)
    t.equal(stderr.trim().split('\n').length, 1)
    return stderr
  }
  t.match(await at('http://127.0.0.1:1'), /^error: experiment gru-traffic: .*Connection refused/)
  t.match(await at('sqlite:///x.db'), /^error: the tracking URI must be that of an MLflow server/)
  t.equal(await at(''), 'error: set MLFLOW_TRACKING_URI or pass --tracking-uri\n')
  const secret = await at('http://user:hunter2@127.0.0.1:1')
  t.match(secret, /^error: no credentials in the tracking URI/)
  t.notMatch(secret, 'hunter2')
})

t.test('with the object store down no version is made, and the run says that it failed', async t => {
  const s3 = await startMinio()
  t.teardown(() => s3.stop())
  const server = await startMlflow({ s3 })
  t.teardown(() => server.stop())
  await s3.kill()
  const own = { ...given, s3, mlflow: server }
  const { code, stderr } = await training(own, 'register', '--name', 'm')
  t.equal(code, 2)
  t.match(stderr, /^error: s3:\/\/models\/mlflow\/.+\/model\/model\.onnx: .*Could not connect/)
  t.match(await askMlflow(server, 'runs/search', { experiment_ids: ['1'] }), { runs: [{ info: { status: 'FAILED' } }] })
  t.match(await askMlflow(server, 'registered-models/get?name=m'), { error_code: 'RESOURCE_DOES_NOT_EXIST' })
})
