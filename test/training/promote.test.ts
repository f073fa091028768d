import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kafka as KafkaClient, logLevel } from 'kafkajs'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { register, scored, training } from '../support/registry.js'
import { PROMOTIONS_TOPIC, s3Client, startKafka, stores } from '../support/services.js'

const given = await stores()
t.teardown(() => given.stop())

const newName = () => `test-${randomUUID()}`
const LSTM = createHash('sha256').update(readFileSync('test/fixtures/bundles/lstm-small/model.onnx')).digest('hex')

interface Model {
  registered_model: { aliases?: { alias: string; version: string }[]; tags?: { key: string; value: string }[] }
}

async function mlflow<T>(path: string, body?: object): Promise<T> {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(`${given.mlflow.url}/api/2.0/mlflow/${path}`, init)).json()) as T
}

/** Version by alias, value by tag. */
async function stateOf(name: string) {
  const { registered_model: model } = await mlflow<Model>(`registered-models/get?name=${name}`)
  return {
    aliases: Object.fromEntries((model.aliases ?? []).map(({ alias, version }) => [alias, version])),
    tags: Object.fromEntries((model.tags ?? []).map(({ key, value }) => [key, value]))
  }
}

const promote = (name: string, version: string, ...more: string[]) =>
  training(given, 'promote', '--name', name, '--version', version, ...more)

/** Promotes; throws where the command does not end with 0. */
async function promoted(name: string, version: string, ...more: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await promote(name, version, ...more)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

/** Another version with the files of version 1, under tags of its own. */
async function versionWith(name: string, tags: Record<string, string>, source?: string): Promise<void> {
  const { model_version: first } = await mlflow<{ model_version: { source: string; run_id: string } }>(
    `model-versions/get?name=${name}&version=1`
  )
  const list = Object.entries(tags).map(([key, value]) => ({ key, value }))
  await mlflow('model-versions/create', { name, source: source ?? first.source, run_id: first.run_id, tags: list })
}

const scoring = (score: number, metric = 'avg2_nrmse') => ({ sha256: LSTM, score: String(score), score_metric: metric })

/** The command ends with `code` and one line, and the registry is as it was. */
async function refused(t: Test, name: string, args: string[], expected: { code: number; line: RegExp }): Promise<void> {
  const before = await stateOf(name)
  const [version, ...more] = args as [string, ...string[]]
  const { code, stdout, stderr } = await promote(name, version, ...more)
  t.equal(code, expected.code)
  t.equal(stdout, '')
  t.match(stderr, expected.line)
  t.equal(stderr.trim().split('\n').length, 1)
  t.same(await stateOf(name), before)
}

/** Every event of a model that the topic holds, oldest first, once there are `count`. */
async function events(t: Test, name: string, count: number): Promise<unknown[]> {
  const client = new KafkaClient({ brokers: given.kafka.brokers, logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 200 })
  t.teardown(() => consumer.disconnect())
  const found: unknown[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: PROMOTIONS_TOPIC, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (String(message.key) === name) found.push(JSON.parse(String(message.value)))
    }
  })
  await eventually(`${count} events of ${name}`, () => found.length >= count, 60_000)
  return found
}

t.test('promote moves the alias, keeps the previous version, tags what it did and tells Kafka', async t => {
  const name = newName()
  const first = await register(given, scored(t, 0.2), name)
  await promoted(name, '1')
  t.match(await stateOf(name), { aliases: { promoted: '1' }, tags: { 'promoted.run_id': first.run_id } })
  const second = await register(given, scored(t, 0.1), name)
  const before = Date.now()
  const event = await promoted(name, '2')

  t.same(Object.keys(event).sort(), ['digest', 'name', 'promoted_at', 'run_id', 'schema_version', 'version'])
  t.match(event, { schema_version: 1, name, version: '2', run_id: second.run_id, digest: LSTM })
  const { promoted_at: at } = event as { promoted_at: string }
  t.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.ok(Date.parse(at) > before - 1000 && Date.parse(at) <= Date.now(), 'it is the time of the promotion')
  t.same(await stateOf(name), {
    aliases: { promoted: '2', previous: '1' },
    tags: {
      'promoted.version': '2',
      'promoted.run_id': second.run_id,
      'promoted.digest': LSTM,
      'promoted.promoted_at': at
    }
  })
  t.match(await events(t, name, 2), [{ version: '1' }, event])
})

t.test('a candidate that is not better is refused unless it is forced', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  const others = [scoring(0.2), scoring(0.3), { sha256: LSTM }, scoring(0.1, 'avg5_nrmse')]
  for (const tags of others) await versionWith(name, tags)
  await promoted(name, '1')
  const notLower = /^error: version (2 has avg2_nrmse 0\.2|3 has avg2_nrmse 0\.3), which is not lower than the 0\.2 of version 1,/
  await refused(t, name, ['2'], { code: 1, line: notLower })
  await refused(t, name, ['3'], { code: 1, line: notLower })
  await refused(t, name, ['4'], { code: 1, line: /^error: version 4 \(no score\) and version 1, .* cannot be compared; / })
  await refused(t, name, ['5'], { code: 1, line: /^error: version 5 \(avg5_nrmse 0\.1\) .* cannot be compared; / })
  await promoted(name, '3', '--force')
  t.match(await stateOf(name), { aliases: { promoted: '3', previous: '1' } })
})

t.test('another alias is moved without a word to those who follow the promoted one', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  await versionWith(name, scoring(0.3))
  await promoted(name, '1')
  await promoted(name, '2', '--alias', 'candidate')
  t.same((await stateOf(name)).aliases, { promoted: '1', candidate: '2' })
})

t.test('a version that is missing, or whose files are not what was registered, is not promoted', async t => {
  const name = newName()
  const first = await register(given, scored(t, 0.2), name)
  await promoted(name, '1')
  await refused(t, name, ['7'], { code: 2, line: /^error: model .*Model Version \(name=.*, version=7\) not found$/m })
  await refused(t, name, ['one'], { code: 2, line: /^error: model / })

  const nowhere = `s3://${given.s3.bucket}/${given.s3.prefix}/nowhere`
  await versionWith(name, { sha256: LSTM }, nowhere)
  await refused(t, name, ['2'], { code: 2, line: /^error: version 2 of .* cannot be read from s3:\/\/.*\/nowhere: / })
  await versionWith(name, { sha256: LSTM }, `runs:/${String(first.run_id)}/model`)
  await refused(t, name, ['3'], { code: 2, line: /^error: version 3 of .* points at runs:\/.*, which is not in an S3/ })
  await versionWith(name, {}, nowhere)
  await refused(t, name, ['4'], { code: 2, line: /^error: version 4 of .* has no tag sha256: / })

  const { run_id: last } = await register(given, scored(t, 0.1), name)
  const found = await mlflow<{ run: { info: { artifact_uri: string } } }>(`runs/get?run_id=${String(last)}`)
  const Key = `${new URL(found.run.info.artifact_uri).pathname.slice(1)}/model/model.onnx`
  const client = s3Client(given.s3)
  t.teardown(() => client.destroy())
  await client.send(new PutObjectCommand({ Bucket: given.s3.bucket, Key, Body: 'other bytes' }))
  await refused(t, name, ['5'], { code: 2, line: /^error: .*model\.json: sha256 is .*, that of model\.onnx / })
  await client.send(new DeleteObjectCommand({ Bucket: given.s3.bucket, Key }))
  await refused(t, name, ['5', '--force'], { code: 2, line: /^error: version 5 of .* cannot be read from s3:/ })
})

t.test('with Kafka down the promotion stands, the command says so, and given again it sends the event', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  const kafka = await startKafka()
  t.teardown(() => kafka.stop())
  const own = ['--brokers', kafka.brokers.join(',')]
  await kafka.kill()
  const dead = await promote(name, '1', ...own)
  t.equal(dead.code, 3)
  t.match(dead.stderr, /^warning: version 1 is promoted, but the event was not sent: Kafka at .*Connection refused/)
  t.equal(dead.stderr.trim().split('\n').length, 1)
  await kafka.restart()
  kafka.freeze()
  t.match(await promote(name, '1', ...own), { code: 3, stderr: /^warning: version 1 is promoted, .*timed out/i })
  kafka.thaw()
  const { tags } = await stateOf(name)
  const event = await promoted(name, '1')
  t.same(await events(t, name, 1), [event])
  t.equal(event.promoted_at, tags['promoted.promoted_at'], 'it tells when the alias was moved')
  t.same((await stateOf(name)).aliases, { promoted: '1' })

  const unset = await training({ ...given, kafka: { brokers: [] } }, 'promote', '--name', name, '--version', '1')
  t.match(unset, { code: 2, stderr: 'error: set KAFKA_BROKERS or pass --brokers\n' })
})
