import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { spawnService, startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

t.test('a disk that takes no more costs the new model, not the old one', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  await bucket.put(changedBundle({ version: '1' }))
  const service = await startService({ env: { ...bucket.env(), CACHE_DIR } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = operatorOf(service)
  await operator.serves('1')
  await bucket.put(changedBundle({ version: '2' }))
  const limit = (bytes: string) =>
    execFileSync('prlimit', ['--pid', String(service.process.pid), `--fsize=${bytes}:unlimited`])
  await underLoad(t, service, { versions: promotedAs('1', '2') }, async () => {
    limit('65536')
    t.match(await operator.order('reload'), { status: 503, json: { error: { message: /^cache_io: / } } })
    t.match(await operator.state(), { model: { version: '1' }, last_promotion: { reason: 'cache_io' } })
    t.same(
      readdirSync(CACHE_DIR).filter(name => name.startsWith('temporary')),
      [],
      'nothing is left behind'
    )
    limit('unlimited')
    t.match(await operator.order('reload'), { status: 200, json: { model: { version: '2' } } })
  })
  t.equal(await service.stop(), 0)
})

t.test('a start says which folder cannot be used, and why', async t => {
  const folder = t.testdir({ file: 'no folder' })
  mkdirSync(`${folder}/cache/state.json`, { recursive: true })
  const env = { MODEL_SOURCE: 's3', S3_BUCKET: 'models', S3_PREFIX: 'live', S3_ACCESS_KEY_ID: 'a' }
  for (const [name, code] of [
    ['file', 'EEXIST|ENOTDIR'],
    ['cache', 'EISDIR']
  ]) {
    const service = spawnService({ env: { ...env, S3_SECRET_ACCESS_KEY: 'b', CACHE_DIR: `${folder}/${name}` } })
    t.equal(await service.exit, 1)
    t.match(service.lines, [new RegExp(`^gru-inference: CACHE_DIR cannot be used \\((${code})\\)$`)])
  }
})
