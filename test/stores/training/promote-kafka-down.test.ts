import t from 'tap'
import { events } from '../../support/promotion.js'
import { newName, register, scored, stateOf, training } from '../../support/registry.js'
import { startKafka, stores } from '../../support/stores.js'

t.test('with Kafka down the promotion stands, the command says so, and given again it sends the event', async t => {
  const given = await stores()
  t.teardown(() => given.stop())
  const name = newName()
  await register(given, scored(t, 0.2), name)
  const kafka = await startKafka()
  t.teardown(() => kafka.stop())
  const promote = (to: { brokers: string[] }) =>
    training({ ...given, kafka: to }, 'promote', '--name', name, '--version', '1')
  await kafka.kill()
  const dead = await promote(kafka)
  t.equal(dead.code, 3)
  t.match(dead.stderr, /^warning: version 1 is promoted, but the event was not sent: Kafka at .*Connection refused/)
  t.equal(dead.stderr.trim().split('\n').length, 1)
  await kafka.restart()
  kafka.freeze()
  t.match(await promote(kafka), { code: 3, stderr: /^warning: version 1 is promoted, .*timed out/i })
  kafka.thaw()
  const { tags } = await stateOf(given.mlflow, name)
  const again = await promote(given.kafka)
  t.equal(again.code, 0)
  const event = JSON.parse(again.stdout) as Record<string, unknown>
  t.same(await events(t, given.kafka, name, 1), [event])
  t.equal(event.promoted_at, tags['promoted.promoted_at'], 'it tells when the alias was moved')
  t.same((await stateOf(given.mlflow, name)).aliases, { promoted: '1' })

  const unset = await promote({ brokers: [] })
  t.match(unset, { code: 2, stderr: 'error: set KAFKA_BROKERS or pass --brokers\n' })
})
