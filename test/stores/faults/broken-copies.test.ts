import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

/** Changes a bit of every model in the cache; gives how many there are. */
function flip(folder: string): number {
  const names = readdirSync(`${folder}/bundles`)
  for (const name of names) {
    const model = `${folder}/bundles/${name}/model.onnx`
    const content = readFileSync(model)
    content[content.length >> 1]! ^= 1
    writeFileSync(model, content)
  }
  return names.length
}

t.test('a copy with a flipped bit is never served, and fetched again', async t => {
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

  t.equal(flip(CACHE_DIR), 2)
  await bucket.minio.kill()
  service = await start()
  t.match(await operatorOf(service).state(), { ready: false, model: null }, 'a copy with a flipped bit is not served')
  t.ok(service.lines.some(line => line.includes('"reason":"checksum_mismatch"')))
  await bucket.minio.restart()
  const operator = operatorOf(service)
  await operator.serves('2')
  await underLoad(t, service, { versions: promotedAs('2') }, async () => {
    t.match((await operator.order('rollback')).json, { error: { message: /^checksum_mismatch: / } })
    t.match((await operator.order('rollback')).json, { error: { code: 'no_previous_model' } })
  })
  t.equal(await service.stop(), 0)
})
