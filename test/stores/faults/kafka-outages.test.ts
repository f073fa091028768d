import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { follow, type Following } from '../../support/following.js'
import { type Candidate, published, shiftedBy, tell, withModel } from '../../support/registered.js'
import { scrape } from '../../support/scrape.js'
import { startKafka, startMinio, startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

const minio = await startMinio()
t.teardown(() => minio.stop())
const [mlflow, kafka] = await Promise.all([startMlflow({ s3: minio }), startKafka()])
t.teardown(() => Promise.all([mlflow.stop(), kafka.stop()]))
const access = { s3: minio, mlflow, kafka }

const live: Record<string, Candidate> = {
  1: withModel(),
  2: shiftedBy(1e6),
  3: shiftedBy(2e6),
  4: shiftedBy(3e6)
}

const hints = async ({ service }: Following) =>
  (await scrape(service.url)).get('gru_promotion_hints_total{origin="kafka"}') ?? 0

t.test('a broker that is down, frozen or restarted changes nothing for callers, and the replica converges', async t => {
  const model = await published(t, access, live)
  await kafka.kill()
  const replica = await follow(t, { ...access, name: model.name }, { env: { POLL_INTERVAL_MS: '1000' } })
  const { service, serves } = replica
  await serves('1')
  await service.line('promotion events cannot be heard')
  await underLoad(t, service, { ...GENTLE, versions: live }, async () => {
    await model.promote('2')
    await serves('2')
    await kafka.restart()
    await service.line('promotion events are heard')
    const heard = await hints(replica)
    await tell(kafka, ['x'])
    await eventually('an event is heard again', async () => (await hints(replica)) > heard)
    kafka.freeze()
    await model.promote('3')
    await serves('3')
    kafka.thaw()
    const thawed = await hints(replica)
    await tell(kafka, ['x'])
    await eventually('the thawed broker is heard', async () => (await hints(replica)) > thawed, 60_000)
    await kafka.kill()
    await model.promote('4')
    await serves('4')
    await kafka.restart()
    const restarted = await hints(replica)
    await eventually(
      'the restarted broker is heard',
      async () => {
        await tell(kafka, ['x'])
        return (await hints(replica)) > restarted
      },
      60_000
    )
  })
  t.equal(await service.stop(), 0)
})
