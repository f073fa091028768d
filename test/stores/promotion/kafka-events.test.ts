import { Kafka, logLevel } from 'kafkajs'
import t, { type Test } from 'tap'
import { listenForPromotions } from '../../../src/model/promotion/kafka-events.js'
import { eventually } from '../../support/eventually.js'
import { tell } from '../../support/registered.js'
import { scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
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

/** Groups of this service that the broker knows. */
async function groups(): Promise<string[]> {
  const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { groups } = await admin.listGroups()
  await admin.disconnect()
  return groups.map(({ groupId }) => groupId).filter(id => id.startsWith('gru-inference-'))
}

t.test('a service says whether it hears events, in /model and as a metric, and leaves no group behind', async t => {
  await eventually('no other listener is there', async () => (await groups()).length === 0)
  const env = { KAFKA_BROKERS: kafka.brokers.join(), POLL_INTERVAL_MS: '600000' }
  const service = await startService({ env })
  const heard = async () => {
    const { promotion } = (await (await fetch(`${service.url}/model`)).json()) as {
      promotion: { events_heard: boolean }
    }
    const metric = (await scrape(service.url)).get('gru_promotion_events_heard')
    return promotion.events_heard === (metric === 1) ? promotion.events_heard : undefined
  }
  await eventually('it hears', async () => (await heard()) === true)
  t.equal((await groups()).length, 1)
  await tell(kafka, ['x'])
  kafka.freeze()
  await eventually(
    'a frozen broker is told from one that has nothing to say',
    async () => (await heard()) === false,
    60_000
  )
  kafka.thaw()
  await eventually('it hears again', async () => (await heard()) === true, 60_000)
  t.equal(await service.stop(), 0)
  t.same(await groups(), [], 'its groups are gone with it')
})

t.test('a service without Kafka has nothing to say of it', async t => {
  const service = await startService()
  t.teardown(() => service.stop())
  const { promotion } = (await (await fetch(`${service.url}/model`)).json()) as { promotion: Record<string, unknown> }
  t.equal(promotion.events_heard, null)
  t.notOk((await scrape(service.url)).has('gru_promotion_events_heard'))
})

t.test('a service whose broker is gone is deaf, and ends in time', async t => {
  const service = await startService({ env: { KAFKA_BROKERS: kafka.brokers.join() } })
  await service.line('promotion events are heard')
  await kafka.kill()
  await service.line('promotion events cannot be heard')
  t.equal((await scrape(service.url)).get('gru_promotion_events_heard'), 0)
  t.equal(await service.stop(), 0, 'not killed at the end of its grace')
  t.ok(service.lines.some(line => line.includes('"stopped"')))
})
