import t from 'tap'
import { events, LSTM, promoted, scoring, versionWith } from '../../support/promotion.js'
import { newName, register, scored, stateOf } from '../../support/registry.js'
import { stores } from '../../support/stores.js'

const given = await stores()
t.teardown(() => given.stop())

t.test('promote moves the alias, keeps the previous version, tags what it did and tells Kafka', async t => {
  const name = newName()
  const first = await register(given, scored(t, 0.2), name)
  await promoted(given, name, '1')
  t.match(await stateOf(given.mlflow, name), { aliases: { promoted: '1' }, tags: { 'promoted.run_id': first.run_id } })
  const second = await register(given, scored(t, 0.1), name)
  const before = Date.now()
  const event = await promoted(given, name, '2')

  t.same(Object.keys(event).sort(), ['digest', 'name', 'promoted_at', 'run_id', 'schema_version', 'version'])
  t.match(event, { schema_version: 1, name, version: '2', run_id: second.run_id, digest: LSTM })
  const { promoted_at: at } = event as { promoted_at: string }
  t.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.ok(Date.parse(at) > before - 1000 && Date.parse(at) <= Date.now(), 'it is the time of the promotion')
  t.same(await stateOf(given.mlflow, name), {
    aliases: { promoted: '2', previous: '1' },
    tags: {
      'promoted.version': '2',
      'promoted.run_id': second.run_id,
      'promoted.digest': LSTM,
      'promoted.promoted_at': at
    }
  })
  t.match(await events(t, given.kafka, name, 2), [{ version: '1' }, event])
})

t.test('another alias is moved without a word to those who follow the promoted one', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  await versionWith(given, name, scoring(0.3))
  await promoted(given, name, '1')
  await promoted(given, name, '2', '--alias', 'candidate')
  t.same((await stateOf(given.mlflow, name)).aliases, { promoted: '1', candidate: '2' })
})
