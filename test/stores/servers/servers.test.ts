import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { Kafka as KafkaClient, logLevel } from 'kafkajs'
import { existsSync } from 'node:fs'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { type Minio, PROMOTIONS_TOPIC, s3Client, startKafka, startMinio, startMlflow } from '../../support/stores.js'

async function put(minio: Minio, key: string, body: string): Promise<void> {
  const client = s3Client(minio)
  await client.send(new PutObjectCommand({ Bucket: minio.bucket, Key: key, Body: body }))
  client.destroy()
}

async function get(minio: Minio, key: string): Promise<string> {
  const client = s3Client(minio)
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: minio.bucket, Key: key }))
    return await Body!.transformToString()
  } finally {
    client.destroy()
  }
}

t.test('the S3 server keeps its objects through a SIGKILL and comes back on its port', async t => {
  const server = await startMinio()
  t.teardown(() => server.stop())
  await put(server, 'a/b', 'kept')
  await server.kill()
  await t.rejects(get(server, 'a/b'), { code: 'ECONNREFUSED' })
  await server.restart()
  t.equal(await get(server, 'a/b'), 'kept')
})

t.test('a frozen server takes connections and answers nobody, a thawed one goes on', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  await put(minio, 'key', 'value')
  minio.freeze()
  const unanswered = fetch(`${minio.endpoint}/minio/health/live`, { signal: AbortSignal.timeout(500) })
  await t.rejects(unanswered, { name: 'TimeoutError' })
  minio.thaw()
  t.equal(await get(minio, 'key'), 'value')
})

t.test('Kafka keeps what it has acknowledged through a SIGKILL', async t => {
  const kafka = await startKafka()
  t.teardown(() => kafka.stop())
  const client = new KafkaClient({ brokers: kafka.brokers, logLevel: logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  await producer.send({ topic: PROMOTIONS_TOPIC, acks: -1, messages: [{ key: 'k', value: 'v' }] })
  await producer.disconnect()
  await kafka.kill()
  await kafka.restart()
  const consumer = client.consumer({ groupId: 'test', maxWaitTimeInMs: 200 })
  t.teardown(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: PROMOTIONS_TOPIC, fromBeginning: true })
  const messages: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void messages.push(`${message.key}=${message.value}`) })
  await eventually('the message', () => messages.length > 0, 60_000)
  t.same(messages, ['k=v'])
})

t.test('MLflow keeps its models through a SIGKILL, stores to S3 and lets only named hosts in', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const mlflow = await startMlflow({ s3: minio })
  t.teardown(() => mlflow.stop())
  const call = async (path: string, body?: object): Promise<unknown> => {
    const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await fetch(`${mlflow.url}/api/2.0/mlflow/${path}`, init)).json()
  }
  await call('registered-models/create', { name: 'm' })
  t.match(await call('experiments/get?experiment_id=0'), {
    experiment: { artifact_location: `s3://${minio.bucket}/${minio.prefix}/0` }
  })
  await mlflow.kill()
  await mlflow.restart()
  t.match(await call('registered-models/get?name=m'), { registered_model: { name: 'm' } })

  const strict = await startMlflow({ s3: minio, allowedHosts: 'mlflow.test:5000' })
  t.teardown(() => strict.stop())
  t.equal((await fetch(`${strict.url}/api/2.0/mlflow/experiments/search?max_results=1`)).status, 403)
})

t.test('stopping a server ends it and removes its data, also when it is frozen', async t => {
  for (const frozen of [false, true]) {
    const minio = await startMinio()
    const { folder } = minio
    t.ok(existsSync(folder))
    if (frozen) minio.freeze()
    await minio.stop()
    t.notOk(existsSync(folder))
    await t.rejects(fetch(minio.endpoint), { cause: { code: 'ECONNREFUSED' } })
  }
})
