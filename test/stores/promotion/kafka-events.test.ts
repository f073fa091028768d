import { Kafka, logLevel } from 'kafkajs'
import t, { type Test } from 'tap'
import { listenForPromotions } from '../../../src/model/promotion/kafka-events.js'
import { eventually } from '../../support/eventually.js'
import { tell } from '../../support/registered.js'
import { PROMOTIONS_TOPIC, startKafka } from '../../support/stores.js'

const kafka = await startKafka()
t.teardown(() => kafka.stop())

/** What a listener has told, while it goes on. */
function listening(t: Test) {
  const told = { heard: 0, joined: 0, failed: [] as string[] }
  const end = new AbortController()
  const listener = listenForPromotions(
    {
      brokers: kafka.brokers,
      topic: PROMOTIONS_TOPIC,
      heard: () => void told.heard++,
      joined: () => void told.joined++,
      fetched: () => undefined,
      failed: message => void told.failed.push(message)
    },
    end.signal
  )
  t.teardown(async () => {
    end.abort()
    await listener
  })
  return told
}

t.test('a listener at rest sets no timer that is over at once, so that it costs nothing', async t => {
  const delays: unknown[] = []
  const { setTimeout } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: Object.assign((...args: Parameters<typeof setTimeout>) => {
      delays.push(args[1])
      return setTimeout(...args)
    }, setTimeout)
  })
  const told = listening(t)
  await eventually('it listens', () => told.joined === 1)
  await tell(kafka, ['x'])
  await eventually('it hears', () => told.heard === 1 + 1)
  t.same(
    delays.filter(delay => Number(delay) < 0),
    [],
    'kafkajs asks no broker that it need not wait for'
  )
})

t.test('a topic that is taken away is said, and heard again when it is back', async t => {
  const told = listening(t)
  await eventually('it listens', () => told.joined === 1)
  const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  await admin.deleteTopics({ topics: [PROMOTIONS_TOPIC] })
  await eventually('it says so', () => told.failed.length > 0, 60_000)
  t.match(told.failed[0], /does not host this topic/)
  await admin.createTopics({ topics: [{ topic: PROMOTIONS_TOPIC, numPartitions: 1, replicationFactor: 1 }] })
  await eventually('it listens again', () => told.joined > 1, 60_000)
  const { heard } = told
  await tell(kafka, ['x'])
  await eventually('it hears again', () => told.heard > heard)
})
