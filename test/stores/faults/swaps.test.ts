import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { follow } from '../../support/following.js'
import { Ledger } from '../../support/ledger.js'
import { published, shiftedBy, withModel } from '../../support/registered.js'
import { grown, scrape } from '../../support/scrape.js'
import { startMinio, startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

const SWAPS = 50
/** Requests whose answers are looked at after each swap. */
const LOOKS = 8
const minio = await startMinio()
t.teardown(() => minio.stop())
const mlflow = await startMlflow({ s3: minio })
t.teardown(() => mlflow.stop())
const live = { 1: withModel(), 2: shiftedBy(1e6), 3: shiftedBy(2e6) }

t.test('50 swaps under load: each answer is of the version that it names, after a swap of the new one', async t => {
  const model = await published(t, { s3: minio, mlflow }, live)
  const env = { POLL_INTERVAL_MS: '0', CACHE_DIR: `${t.testdir()}/cache` }
  const replica = await follow(t, { s3: minio, mlflow, name: model.name }, { env })
  const { service, admin, serves } = replica
  await serves('1')
  const book = new Ledger(service.url)
  t.teardown(() => book.close())
  const before = await scrape(service.url)
  await underLoad(t, service, { ...GENTLE, versions: { 1: live[1], 2: live[2] } }, async () => {
    const wrong: string[] = []
    for (let swap = 1; swap <= SWAPS; swap++) {
      const version = swap % 2 === 0 ? '1' : '2'
      await model.promote(version)
      const { status, text } = await admin('reload')
      if (status !== 200) wrong.push(`swap ${swap}: ${status} ${text}`)
      const answers = await Promise.all(Array.from({ length: LOOKS }, () => book.send(bodyOf(gru(), 0))))
      const versions = answers.map(({ json }) => String(json?.model_version))
      if (versions.some(one => one !== version)) wrong.push(`after swap ${swap}: answers of ${versions.join()}`)
    }
    t.same(wrong, [])
  })
  t.equal(grown('gru_promotions_total{outcome="live"}', before, await scrape(service.url)), SWAPS)
  t.equal(await service.stop(), 0)
})

/** Orders that cross each other: the version that is promoted before each, and what the operator asks for. */
const CROSSING: [string, 'reload' | 'rollback'][] = [
  ...(['2', '3', '2', '2', '1', '3'] as const).map(version => [version, 'reload'] as [string, 'reload']),
  ['3', 'rollback'],
  ['1', 'reload'],
  ['1', 'reload'],
  ['2', 'rollback'],
  ['2', 'rollback'],
  ['3', 'reload'],
  ['1', 'rollback'],
  ['2', 'reload'],
  ['3', 'reload'],
  ['3', 'reload'],
  ['1', 'reload'],
  ['2', 'rollback'],
  ['3', 'reload'],
  ['2', 'reload']
]

t.test('promotions and rollbacks that cross each other end with what the registry names', async t => {
  const model = await published(t, { s3: minio, mlflow }, live)
  const replica = await follow(t, { s3: minio, mlflow, name: model.name }, { env: { POLL_INTERVAL_MS: '0' } })
  const { service, admin, serves, state } = replica
  await serves('1')
  await underLoad(
    t,
    service,
    { ...GENTLE, versions: { 1: live[1], 2: live[2] }, optional: { 3: live[3] } },
    async () => {
      const orders: ReturnType<typeof admin>[] = []
      for (const [version, order] of CROSSING) {
        await model.promote(version)
        orders.push(admin(order))
      }
      const ended = await Promise.all(orders)
      const refused = ended.filter(({ status }) => status !== 200)
      const codes = refused.map(({ json }) => `${json?.error?.code}: ${json?.error?.message.split(':')[0]}`)
      // A rollback ends a rollout under way, and there may be nothing to go back to; nothing else may come of it.
      const known = codes.filter(code => /^promotion_unavailable: superseded|^no_previous_model/.test(code))
      t.same(codes, known)
      t.match(await admin('reload'), { status: 200, json: { model: { version: '2' } } })
    }
  )
  t.match(await state(), {
    model: { version: '2' },
    promotion: { promoted_version: '2', stale: false, held_off: null }
  })
  t.equal(await service.stop(), 0)
})
