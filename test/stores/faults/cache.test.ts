import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { eventually } from '../../support/eventually.js'
import { startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

t.test('a replica restarts from its cache with the store down, says stale, and rolls back', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR }
  const start = async () => {
    const service = await startService({ env })
    t.teardown(() => service.process.kill('SIGKILL'))
    return service
  }
  await bucket.put(changedBundle({ version: '1' }))
  let service = await start()
  await operatorOf(service).serves('1')
  await bucket.put(changedBundle({ version: '2' }))
  t.equal((await operatorOf(service).order('reload')).status, 200)
  t.equal(await service.stop(), 0)

  await bucket.minio.kill()
  service = await start()
  t.match(await operatorOf(service).state(), {
    ready: true,
    model: { version: '2' },
    promotion: { stale: true, previous_version: '1' }
  })
  await underLoad(t, service, { versions: promotedAs('1', '2') }, async () => {
    const operator = operatorOf(service)
    await eventually('the store is missed', async () => !(await operator.state()).promotion.registry_up)
    t.match((await operator.order('rollback')).json, { model: { version: '1' }, promotion: { held_off: '2' } })
  })
  t.equal(await service.stop(), 0)

  service = await start()
  t.match(await operatorOf(service).state(), { model: { version: '1' }, promotion: { held_off: '2', stale: true } })
  await bucket.minio.restart()
  await underLoad(t, service, { versions: promotedAs('1', '2') }, async () => {
    const operator = operatorOf(service)
    await eventually('the store is back', async () => (await operator.state()).promotion.promoted_version === '2')
    t.match(await operator.state(), { model: { version: '1' }, promotion: { held_off: '2' } })
    t.match((await operator.order('reload')).json, { model: { version: '2' }, promotion: { stale: false } })
  })
  t.equal(await service.stop(), 0)
})
