import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { follow } from '../../support/following.js'
import { published, shiftedBy, withModel } from '../../support/registered.js'
import { startMlflow } from '../../support/stores.js'
import { type Fault, storeProxy } from '../../support/store-proxy.js'

/** Nothing here waits for a registry that is silent, and a host that does much else is slow. */
const PATIENT = { RESOLVE_TIMEOUT_MS: '60000', SANDBOX_TIMEOUT_MS: '120000', POLL_INTERVAL_MS: '0' }
const live = { 1: withModel(), 2: shiftedBy(1e6) }

const mlflow = await startMlflow({})
t.teardown(() => mlflow.stop())

const HALF = 320_000
const SLOW: Record<string, Fault> = {
  'says nothing': { after: 0, then: 'stall' },
  'stops half way': { after: HALF, then: 'stall' },
  'gives a byte now and then': { after: HALF, then: 'trickle' },
  'resets the connection half way': { after: HALF, then: 'reset' }
}

t.test('an MLflow that is slow is given up after three tries, each with its end, and leaves no socket', async t => {
  const model = await published(t, { mlflow }, live)
  const proxy = await storeProxy(mlflow.url)
  t.teardown(() => proxy.close())
  const env = { ...PATIENT, FETCH_TIMEOUT_MS: '1500' }
  const replica = await follow(t, { mlflow: proxy, name: model.name }, { env })
  await replica.serves('1')
  await model.promote('2')
  for (const [what, fault] of Object.entries(SLOW)) {
    proxy.asked.clear()
    proxy.fault = line => (line.includes('model.onnx') ? fault : undefined)
    const ended = await replica.admin('reload')
    t.match(ended, { status: 503, json: { error: { message: /^storage_unavailable: / } } }, `an MLflow that ${what}`)
    t.equal(proxy.asked.get('model.onnx'), 3, 'three tries')
    await eventually('the sockets are gone', () => proxy.open.size === 0)
  }
  proxy.fault = () => undefined
  t.match(await replica.admin('reload'), { status: 200, json: { model: { version: '2' } } })
  t.equal(await replica.service.stop(), 0)
})

t.test('bytes that were changed behind MLflow are refused, and a rollback ends a fetch at once', async t => {
  const model = await published(t, { mlflow }, { ...live, 3: withModel() })
  const proxy = await storeProxy(mlflow.url)
  t.teardown(() => proxy.close())
  const replica = await follow(t, { mlflow: proxy, name: model.name }, { env: PATIENT })
  await replica.serves('1')
  await model.promote('2')
  t.equal((await replica.admin('reload')).status, 200)
  await model.overwrite('3', { 'model.onnx': live[2].files['model.onnx'] })
  await model.promote('3')
  t.match(await replica.admin('reload'), { status: 422, json: { error: { message: /^checksum_mismatch: / } } })

  proxy.fault = line => (line.includes('model.onnx') ? { after: HALF, then: 'stall' } : undefined)
  proxy.asked.clear()
  const reload = replica.admin('reload')
  await eventually('the fetch stands still', () => proxy.asked.get('model.onnx'))
  t.equal((await replica.admin('rollback')).status, 200)
  t.match(await reload, { status: 503, json: { error: { message: /^superseded: / } } })
  t.match(await replica.state(), { model: { version: '1' } })
  t.equal(await replica.service.stop(), 0)
})
