import t, { type Test } from 'tap'
import { Forecast } from '../../../../src/model/inference/forecast.js'
import type { PoolOptions } from '../../../../src/model/inference/pool-contract.js'
import { bodyOf, gru } from '../../../support/bundles.js'
import { rolloutOf } from '../../../support/pool.js'

const bundle = gru()

async function pooled(t: Test, options: Partial<PoolOptions> = {}) {
  const { rollout, seen } = rolloutOf('models/gru', options)
  const { pool, reader } = await rollout.run()
  t.teardown(() => rollout.close())
  const start = (index: number, steps = 1, deadline = Infinity) => {
    const window = reader.read(bodyOf(bundle, index), pool.acquire(steps))
    let cancel = (): void => undefined
    const ended = new Promise<Forecast | string>(resolve => {
      const listener = { forecasted: resolve, failed: ({ code }: { code: string }) => resolve(code) }
      const forecast = new Forecast({ pool, window, steps, deadline }, listener).start()
      cancel = () => forecast.cancel()
    })
    return { ended, cancel: () => cancel() }
  }
  return { pool, start, seen }
}

t.test('each caller gets the forecast of its own window, whatever shares the batch', async t => {
  const { start, seen } = await pooled(t)
  seen.batches.length = 0
  const { windows } = bundle.golden
  const ends = await Promise.all(windows.map((_, index) => start(index).ended))
  for (const [index, end] of ends.entries()) {
    const { values } = end as Forecast
    for (const [feature, want] of windows[index]!.forecast.entries()) {
      const { relative, absolute } = bundle.golden.tolerance
      const allowed = Math.max(Math.abs(want) * relative, absolute[feature]!)
      t.ok(Math.abs(values[feature]! - want) <= allowed, `window ${index}, feature ${feature}`)
    }
  }
  t.equal(
    seen.batches.reduce((sum, rows) => sum + rows, 0),
    windows.length,
    'each row ran once'
  )
})

t.test('a full pool refuses at once, and every slot comes back', async t => {
  const { pool, start } = await pooled(t, { queueRows: 16 })
  // A forecast under way may end before the next is taken on, on a host that holds this thread up.
  const held = Array.from({ length: 16 }, () => pool.acquire())
  t.equal(pool.taken, 16)
  t.throws(() => pool.acquire(), { code: 'queue_full' })
  for (const slot of held) pool.release(slot)
  await Promise.all(Array.from({ length: 16 }, () => start(0, 5).ended))
  t.equal(pool.taken, 0)
  t.equal(pool.backlog.steps, 0)
})

t.test('a row whose deadline has passed is never run, and its caller hears so', async t => {
  const { start, seen, pool } = await pooled(t, { batchCap: 4 })
  seen.batches.length = 0
  t.equal(await start(0, 1, -1).ended, 'deadline_exceeded')
  t.same([seen.expired, seen.batches], [1, []])
  await pool.drained()
  t.equal(pool.taken, 0)
})

t.test('a caller who leaves frees the slot, and nobody hears of the row', async t => {
  const { start, seen, pool } = await pooled(t, { batchCap: 4 })
  const { ended, cancel } = start(0)
  cancel()
  await pool.drained()
  t.equal(seen.cancelled, 1)
  t.equal(await Promise.race([ended, 'silence']), 'silence')
})
