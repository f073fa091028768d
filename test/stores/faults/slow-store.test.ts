import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { eventually } from '../../support/eventually.js'
import { startService } from '../../support/service.js'
import { type Fault, storeProxy } from '../../support/store-proxy.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const HALF = 320_000
const FAULTS: Record<string, Fault> = {
  'says nothing': { after: 0, then: 'stall' },
  'stops half way': { after: HALF, then: 'stall' },
  'gives a byte now and then': { after: HALF, then: 'trickle' },
  'resets the connection half way': { after: HALF, then: 'reset' }
}

t.test('a store that is slow is given up after three tries, each with its end, and leaves no socket', async t => {
  const bucket = await startBucket(t)
  const proxy = await storeProxy(bucket.minio.endpoint)
  t.teardown(() => proxy.close())
  await bucket.put(changedBundle({ version: '1' }))
  const env = { ...bucket.env(proxy.url), CACHE_DIR: `${t.testdir()}/cache`, FETCH_TIMEOUT_MS: '1500' }
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = operatorOf(service)
  await operator.serves('1')
  await bucket.put(changedBundle({ version: '2' }))
  await underLoad(t, service, { versions: promotedAs('1', '2') }, async () => {
    const before = proxy.open.size
    for (const [what, fault] of Object.entries(FAULTS)) {
      proxy.asked.clear()
      // The first time is the question what is promoted.
      proxy.fault = (line, times) => (line.includes('model.onnx') && times > 1 ? fault : undefined)
      const ended = await operator.order('reload')
      t.match(ended, { status: 503, json: { error: { message: /^storage_unavailable: / } } }, `a store that ${what}`)
      t.equal(proxy.asked.get('model.onnx'), 1 + 3, 'three tries')
      await eventually('the sockets are gone', () => proxy.open.size <= before)
      t.match(await operator.state(), { model: { version: '1' }, last_promotion: { reason: 'storage_unavailable' } })
    }
    proxy.fault = () => undefined
    t.match(await operator.order('reload'), { status: 200, json: { model: { version: '2' } } })
  })
  t.equal(await service.stop(), 0)
})
