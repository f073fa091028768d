import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kafka as KafkaClient, logLevel } from 'kafkajs'
import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { askMlflow, stateOf, type Told, training } from './registry.js'
import { type KafkaAccess, PROMOTIONS_TOPIC } from './stores.js'

/** sha256 of the small LSTM's `model.onnx`. */
export const LSTM = createHash('sha256')
  .update(readFileSync('test/fixtures/bundles/lstm-small/model.onnx'))
  .digest('hex')

/** The tags that `register` gives a version with the LSTM's files and this score. */
export const scoring = (score: number, score_metric = 'avg2_nrmse') => ({
  sha256: LSTM,
  score: String(score),
  score_metric
})

/** Promotes, and gives the event that the command printed; throws where it does not end with 0. */
export async function promoted(stores: Told, name: string, version: string, ...more: string[]) {
  const { code, stdout, stderr } = await training(stores, 'promote', '--name', name, '--version', version, ...more)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

interface Refusal {
  name: string
  /** the version, and further flags */
  args: [string, ...string[]]
  code: number
  line: RegExp
}

/** Promoting ends with `code` and one line, and the registry is as it was. */
export async function refused(t: Test, stores: Told, { name, args, code, line }: Refusal): Promise<void> {
  const before = await stateOf(stores.mlflow, name)
  const ended = await training(stores, 'promote', '--name', name, '--version', ...args)
  t.equal(ended.code, code)
  t.equal(ended.stdout, '')
  t.match(ended.stderr, line)
  t.equal(ended.stderr.trim().split('\n').length, 1)
  t.same(await stateOf(stores.mlflow, name), before)
}

/** Makes another version with the files of version 1, or with others, under tags of its own. */
export async function versionWith({ mlflow }: Told, name: string, tags: Record<string, string>, source?: string) {
  const path = `model-versions/get?name=${name}&version=1`
  const found = await askMlflow<{ model_version: { source: string; run_id: string } }>(mlflow, path)
  const { source: whole, run_id } = found.model_version
  const list = Object.entries(tags).map(([key, value]) => ({ key, value }))
  await askMlflow(mlflow, 'model-versions/create', { name, source: source ?? whole, run_id, tags: list })
}

/** Every promotion event of a model that the topic holds, oldest first, once there are `count`. */
export async function events(t: Test, { brokers }: KafkaAccess, name: string, count: number): Promise<unknown[]> {
  const client = new KafkaClient({ brokers, logLevel: logLevel.NOTHING })
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
