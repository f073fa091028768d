import { readdirSync } from 'node:fs'
import t from 'tap'
import { accounted, balanced } from '../../support/balanced.js'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { eventually } from '../../support/eventually.js'
import { storeProxy } from '../../support/store-proxy.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const temporary = (folder: string) => readdirSync(folder).filter(name => name.startsWith('temporary'))

t.test('a replica that is killed during a download starts with the old model, and uses no half file', async t => {
  const bucket = await startBucket(t)
  const proxy = await storeProxy(bucket.minio.endpoint)
  t.teardown(() => proxy.close())
  await bucket.put(changedBundle({ version: '1' }))
  const folder = t.testdir()
  const cacheOf = (index: number) => `${folder}/${index}`
  const stack = await balanced(t, {
    env: bucket.env(proxy.url),
    envOf: index => ({ CACHE_DIR: cacheOf(index) })
  })
  const { replicas } = stack
  const operator = (index: number) => operatorOf(replicas[index]!)
  await underLoad(t, stack, { versions: promotedAs('1', '2') }, async load => {
    await operator(1).serves('1')

    await bucket.put(changedBundle({ version: '2' }))
    proxy.asked.clear()
    // The first time is the question what is promoted.
    proxy.fault = (line, times) =>
      line.includes('model.onnx') && times > 1 ? { after: 300_000, then: 'stall' } : undefined
    const reload = operator(1).order('reload')
    await eventually('a half file', () => temporary(cacheOf(1)).length > 0 && proxy.asked.get('model.onnx') === 2)
    process.kill(replicas[1]!.pid, 'SIGKILL')
    t.equal((await reload).status, 0)
    t.equal(temporary(cacheOf(1)).length, 1, 'the half file is there')

    proxy.fault = () => ({ after: 0, then: 'stall' })
    await stack.restart(1)
    t.same(temporary(cacheOf(1)), [], 'the half file is gone')
    t.match(await operator(1).state(), { ready: true, model: { version: '1' }, promotion: { stale: true } })
    proxy.fault = () => undefined
    for (const index of [0, 1]) {
      t.match(await operator(index).order('reload'), { status: 200, json: { model: { version: '2' } } })
    }
    await load.answered(200)
  })
  accounted(t, stack)
})
