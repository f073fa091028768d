import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { unlessAborted, withTimeout } from '../../src/abort.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Work that ends when it is told to, and no earlier. */
async function untilAborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason
}

t.test('the end comes, though memory is reclaimed meanwhile', async t => {
  const outer = new AbortController()
  const reason = await withTimeout(100, outer.signal, signal => {
    collectGarbage()
    return untilAborted(signal)
  })
  t.match(reason, { name: 'TimeoutError' })
  t.equal(outer.signal.aborted, false)
})

t.test('an order from outside comes first, or was there before', async t => {
  const outer = new AbortController()
  const told = withTimeout(3_600_000, outer.signal, untilAborted)
  outer.abort('told')
  t.equal(await told, 'told')
  t.equal(await withTimeout(3_600_000, outer.signal, untilAborted), 'told')
})

t.test('work that ends gives its result, or its error, and leaves no timer', async t => {
  const { signal } = new AbortController()
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  t.equal(await withTimeout(3_600_000, signal, () => Promise.resolve(7)), 7)
  await t.rejects(
    withTimeout(3_600_000, signal, () => Promise.reject(new Error('broken'))),
    { message: 'broken' }
  )
  t.equal(timers(), before)
})

t.test('who waits for work hears of its end, or of an order to stop as soon as that comes', async t => {
  const { signal } = new AbortController()
  t.equal(await unlessAborted(signal, Promise.resolve(7)), 7)
  await t.rejects(unlessAborted(signal, Promise.reject(new Error('broken'))), { message: 'broken' })
  const stopping = new AbortController()
  const never = new Promise<never>(() => undefined)
  const told = t.rejects(unlessAborted(stopping.signal, never), { message: 'told' })
  stopping.abort(new Error('told'))
  await told
  await t.rejects(unlessAborted(stopping.signal, Promise.resolve(7)), { message: 'told' }, 'told before')
  await t.rejects(unlessAborted(stopping.signal, Promise.reject(new Error('broken'))), { message: 'told' })
})
