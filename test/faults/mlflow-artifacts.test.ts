import type { ServerResponse } from 'node:http'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { follow, underCallers } from '../support/following.js'
import { breakOff, httpFront } from '../support/http-front.js'
import { type Candidate, published, shiftedBy, withModel } from '../support/registered.js'
import { startMinio, startMlflow } from '../support/services.js'
import { type Fault, storeProxy } from '../support/store-proxy.js'

const CALLERS = 16
/** Nothing here waits for a registry that is silent, and a host that does much else is slow. */
const PATIENT = { RESOLVE_TIMEOUT_MS: '60000', SANDBOX_TIMEOUT_MS: '120000', POLL_INTERVAL_MS: '0' }
const live = { 1: withModel(), 2: shiftedBy(1e6) }

const mlflow = await startMlflow({})
t.teardown(() => mlflow.stop())

t.test('a version whose files MLflow hands out goes live and is swapped, without a setting of S3', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const behindBucket = await startMlflow({ s3: minio, isProxy: true })
  t.teardown(() => behindBucket.stop())
  for (const [where, server] of Object.entries({ folder: mlflow, bucket: behindBucket })) {
    const model = await published(t, { mlflow: server }, live)
    const cache = { CACHE_DIR: `${t.testdir()}/${where}` }
    const replica = await follow(t, { mlflow: server, name: model.name }, { env: { ...PATIENT, ...cache } })
    await replica.serves('1')
    const answered = await underCallers(t, replica.service, { callers: CALLERS, live }, async () => {
      await model.promote('2')
      t.match(await replica.admin('reload'), { status: 200, json: { model: { version: '2' } } }, where)
    })
    t.same([...answered].sort(), ['1', '2'])
    t.match(await replica.state(), { promotion: { location: `${model.home}/2` } })
    t.equal(await replica.service.stop(), 0)
    await server.kill()
    const again = await follow(t, { mlflow: server, name: model.name }, { env: { ...PATIENT, ...cache } })
    await again.serves('2')
    t.match((await again.admin('rollback')).status, 200, 'both versions are in the cache')
    await again.serves('1')
    t.equal(await again.service.stop(), 0)
    await server.restart()
  }
})

t.test('a file that is not there, in a folder or in a bucket, is not_found and not an outage', async t => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const behindBucket = await startMlflow({ s3: minio, isProxy: true })
  t.teardown(() => behindBucket.stop())
  for (const server of [mlflow, behindBucket]) {
    const model = await published(t, { mlflow: server }, live)
    const replica = await follow(t, { mlflow: server, name: model.name }, { env: PATIENT })
    await replica.serves('1')
    const half = await model.add({ 'model.json': live[2].files['model.json'] } as Candidate['files'])
    for (const version of [await model.point(`${model.home}/nowhere`), half]) {
      await model.promote(version)
      t.match(await replica.admin('reload'), { status: 422, json: { error: { message: /^not_found: / } } })
      t.match(await replica.state(), { model: { version: '1' }, promotion: { registry_up: true } })
    }
    t.equal(await replica.service.stop(), 0)
  }
  // A store behind MLflow that is gone is no missing file.
  const model = await published(t, { mlflow: behindBucket }, live)
  await minio.kill()
  const replica = await follow(
    t,
    { mlflow: behindBucket, name: model.name },
    { env: { ...PATIENT, FETCH_TIMEOUT_MS: '3000' } }
  )
  await replica.service.line('storage_unavailable')
  t.match(await replica.state(), { ready: false, last_promotion: { reason: 'storage_unavailable' } })
  await minio.restart()
  await replica.serves('1')
  t.equal(await replica.service.stop(), 0)
})

const answer =
  (status: number, type: string, body: string, more = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': type, ...more }).end(body)

/** Zeros for as long as somebody reads them. */
function endless(response: ServerResponse): void {
  const more = () => void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)))
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  more()
}

const HOSTILE: Record<string, [(response: ServerResponse) => void, status: number, reason: string]> = {
  'a page instead of a file': [answer(200, 'text/html', '<html>Log in</html>'), 503, 'storage_unavailable'],
  'a redirect': [answer(302, 'text/plain', '', { location: 'http://127.0.0.1:1/' }), 503, 'storage_unavailable'],
  'an error of the server': [answer(500, 'application/json', '{}'), 503, 'storage_unavailable'],
  'a page that says 404': [answer(404, 'text/html', '<html></html>'), 503, 'storage_unavailable'],
  'artifacts that are turned off': [answer(503, 'text/plain', 'disabled'), 503, 'storage_unavailable'],
  'a refusal': [answer(403, 'text/plain', 'Invalid Host header'), 503, 'access_denied'],
  'a body without an end': [endless, 422, 'too_large'],
  'a body that is shorter than it says': [breakOff, 503, 'storage_unavailable'],
  'a connection that is closed': [response => void response.destroy(), 503, 'storage_unavailable'],
  'no answer': [() => undefined, 503, 'storage_unavailable']
}

t.test('whatever is in the place of an artifact, what serves goes on and the reason is the right one', async t => {
  const model = await published(t, { mlflow }, live)
  const front = await httpFront(t, mlflow.url)
  const env = { ...PATIENT, FETCH_TIMEOUT_MS: '1500', MODEL_MAX_BYTES: '2000000' }
  const replica = await follow(t, { mlflow: front, name: model.name }, { env })
  await replica.serves('1')
  await model.promote('2')
  const answered = await underCallers(t, replica.service, { callers: CALLERS, live }, async () => {
    for (const file of ['model.onnx', 'artifacts?path=']) {
      for (const [what, [instead, status, reason]] of Object.entries(HOSTILE)) {
        // A list that never ends is no list.
        const expected =
          file !== 'model.onnx' && reason === 'too_large' ? [503, 'storage_unavailable'] : [status, reason]
        front.instead = instead
        front.only = file
        const ended = await replica.admin('reload')
        t.match([ended.status, ended.json?.error?.message?.split(':')[0]], expected, `${what} for ${file}`)
        t.match(await replica.state(), { ready: true, model: { version: '1' }, promotion: { registry_up: true } })
      }
    }
    front.instead = undefined
    t.match(await replica.admin('reload'), { status: 200, json: { model: { version: '2' } } })
  })
  t.same([...answered].sort(), ['1', '2'])
  t.equal(await replica.service.stop(), 0)
})

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

t.test('an address in S3 is refused by a replica without a bucket, which names the variable', async t => {
  const model = await published(t, { mlflow }, live)
  const replica = await follow(t, { mlflow, name: model.name }, { env: PATIENT })
  await replica.serves('1')
  await model.promote(await model.point('s3://models/mlflow/1'))
  t.match(await replica.admin('reload'), { status: 422, json: { error: { message: /^bad_pointer: .*S3_BUCKET/ } } })
  t.equal(await replica.service.stop(), 0)
})
