import { readdirSync, renameSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Bucket, operatorOf, startBucket } from '../../support/bucket.js'
import { noted, snapshot } from '../../support/cache-copy.js'
import { eventually } from '../../support/eventually.js'
import { type Service, type ServiceOptions, spawnService, startService } from '../../support/service.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const IN_USE = 'gru-inference: CACHE_DIR is in use by another process'

/** Starts a replica, which takes version 1 live. */
async function replica(t: Test, options: ServiceOptions, version = '1'): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  await operatorOf(service).serves(version)
  return service
}

/** Starts one that must not start. */
async function refused(t: Test, options: ServiceOptions, line = IN_USE): Promise<void> {
  const service = spawnService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  t.equal(await service.exit, 1)
  t.same(service.lines, [line])
}

async function promote(t: Test, { bucket, service }: { bucket: Bucket; service: Service }, version: string) {
  await bucket.put(changedBundle({ version }))
  t.match(await operatorOf(service).order('reload'), { status: 200, json: { model: { version } } })
}

t.test('a second replica on a CACHE_DIR ends with one line, and the first loses nothing', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '0' }
  await bucket.put(changedBundle({ version: '1' }))
  const first = await replica(t, { env })
  await promote(t, { bucket, service: first }, '2')

  const before = snapshot(CACHE_DIR)
  await refused(t, { env })
  first.process.kill('SIGSTOP')
  await refused(t, { env })
  first.process.kill('SIGCONT')
  t.same(snapshot(CACHE_DIR), before, 'no file was touched')
  const operator = operatorOf(first)
  t.match(await operator.state(), { ready: true, promotion: { previous_version: '1', held_off: null } })
  t.match((await operator.order('rollback')).json, { model: { version: '1' } })
  t.equal(await first.stop(), 0)
})

t.test('a replica that drains has its folder until it has ended', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR }
  await bucket.put(changedBundle({ version: '1' }))
  const first = await replica(t, { env: { ...env, DRAIN_DELAY_MS: '90000', GRACE_MS: '100000' } })
  first.process.kill('SIGTERM')
  await first.line('stopping')
  await refused(t, { env })
  t.equal(first.process.exitCode, null)
  // The second signal ends the delay.
  t.equal(await first.stop(), 0)
  const next = await replica(t, { env })
  t.equal(await next.stop(), 0)
})

t.test('a replica that is killed can be started again at once, twenty times in a row', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '0' }
  await bucket.put(changedBundle({ version: '1' }))
  let service = await replica(t, { env })
  await promote(t, { bucket, service }, '2')
  for (let times = 0; times < 20; times++) {
    service.process.kill('SIGKILL')
    service = await replica(t, { env }, '2')
  }
  t.match(await operatorOf(service).state(), { promotion: { previous_version: '1' } })
  t.match((await operatorOf(service).order('rollback')).json, { model: { version: '1' } })
  t.equal(await service.stop(), 0)
})

t.test('a replica whose folder another one has now serves on without it, and has it again later', async t => {
  const bucket = await startBucket(t)
  const root = t.testdir()
  const CACHE_DIR = `${root}/cache`
  const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '0' }
  await bucket.put(changedBundle({ version: '1' }))
  const first = await replica(t, { env })
  await eventually('it has noted that', () => noted(CACHE_DIR).live?.version === '1')
  renameSync(CACHE_DIR, `${root}/away`)
  const second = await replica(t, { env })
  await promote(t, { bucket, service: second }, '2')

  const before = snapshot(CACHE_DIR)
  const operator = operatorOf(first)
  t.match(await operator.order('reload'), {
    status: 503,
    json: { error: { message: 'cache_io: CACHE_DIR is in use by another process' } }
  })
  t.match(await operator.order('reload'), { status: 503 })
  t.match(await operator.state(), { ready: true, model: { version: '1' }, last_promotion: { reason: 'cache_io' } })
  t.equal(warnings(first).length, 1, 'the log has it once')
  t.same(snapshot(CACHE_DIR), before, 'the other has its files')
  t.match(await operatorOf(second).order('rollback'), { json: { model: { version: '1' } } })
  t.equal(await second.stop(), 0)

  t.match(await operator.order('reload'), { status: 200, json: { model: { version: '2' } } })
  await eventually('it notes that', () => noted(CACHE_DIR).previous?.version === '1')
  t.equal(readdirSync(`${CACHE_DIR}/bundles`).length, 2)
  await refused(t, { env })
  t.equal(await first.stop(), 0)
})

t.test('without the program that locks, CACHE_DIR is refused, and a replica without one starts', async t => {
  const CACHE_DIR = `${t.testdir()}/cache`
  const store = { MODEL_SOURCE: 's3', S3_BUCKET: 'models', S3_PREFIX: 'live', S3_ACCESS_KEY_ID: 'a' }
  const env = { PATH: '/nowhere' }
  await refused(
    t,
    { env: { ...env, ...store, S3_SECRET_ACCESS_KEY: 'b', CACHE_DIR } },
    'gru-inference: CACHE_DIR cannot be locked: the program flock (of util-linux) is missing'
  )
  const service = await startService({ env })
  t.equal(await service.stop(), 0)
})

/** What the log says of CACHE_DIR. */
function warnings({ lines }: Service): string[] {
  return lines.filter(line => line.includes('"level":40') && line.includes('CACHE_DIR'))
}
