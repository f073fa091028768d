import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { follow, type Following } from '../../support/following.js'
import { type Candidate, published, shiftedBy, tell, withModel } from '../../support/registered.js'
import { grown, scrape } from '../../support/scrape.js'
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
  3: shiftedBy(2e6)
}

const JUNK = ['', '{', 'null', '[]', '\u0000\n', '__proto__', 'x'.repeat(900_000)]
const POINTERS = ['../../etc/passwd', 'file:///etc/passwd', 'http://169.254.169.254/', 's3://a:b@other/x']

const hints = async ({ service }: Following) =>
  (await scrape(service.url)).get('gru_promotion_hints_total{origin="kafka"}') ?? 0

t.test(
  'events that are doubled, old, of others or no events at all make a replica ask, and change nothing',
  async t => {
    const model = await published(t, access, live)
    const replica = await follow(t, { ...access, name: model.name }, { env: { POLL_INTERVAL_MS: '0' } })
    const { service, serves, state } = replica
    await service.line('promotion events are heard')
    await serves('1')
    const event = (version: string, more = {}) =>
      JSON.stringify({ schema_version: 1, name: model.name, version, run_id: 'x', digest: 'x', ...more })
    await underLoad(t, service, { ...GENTLE, versions: live }, async () => {
      await model.promote('2')
      await tell(kafka, [event('2'), event('2'), event('1'), event('999'), event('3')])
      await serves('2')
      // One hint is the joining of the group.
      await eventually('all are heard', async () => (await hints(replica)) >= 1 + 5)
      const before = await scrape(service.url)
      await tell(kafka, [
        null,
        Buffer.from([0xff, 0xfe]),
        ...JUNK,
        ...POINTERS.map(source => event(source, { source }))
      ])
      await eventually('these too', async () => (await hints(replica)) >= 1 + 5 + 2 + JUNK.length + POINTERS.length)
      await model.promote('3')
      await tell(kafka, [event('1')])
      await serves('3')
      const after = await scrape(service.url)
      t.equal(
        grown('gru_promotions_total{outcome="live"}', before, after),
        1,
        'only what the registry names was rolled out'
      )
    })
    t.match(await state(), { promotion: { promoted_version: '3', stale: false } })
    t.equal(await service.stop(), 0)
  }
)
