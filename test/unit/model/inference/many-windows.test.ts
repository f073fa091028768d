import t, { type Test } from 'tap'
import { Forecast } from '../../../../src/model/inference/forecast.js'
import type { PoolOptions } from '../../../../src/model/inference/pool-contract.js'
import type { ServingModel } from '../../../../src/model/promotion/active-model.js'
import { bodyOf, gru } from '../../../support/bundles.js'
import { rolloutOf } from '../../../support/pool.js'

const BATCH_CAP = 4
/** Forecasts that take turns and are under way at once: two batches. */
const UNDER_WAY = 2 * BATCH_CAP
const bundle = gru()

async function serving(t: Test, options: Partial<PoolOptions>): Promise<ServingModel> {
  const { rollout } = rolloutOf('models/gru', { batchCap: BATCH_CAP, ...options })
  const model = await rollout.run()
  t.teardown(() => rollout.close())
  return model
}

/** Starts a forecast of one step in a slot that it has; resolves when it has ended. */
function start({ pool, reader }: ServingModel, slot: number, isOneOfMany: boolean): Promise<void> {
  const window = reader.read(bodyOf(bundle, 0), slot)
  return new Promise((resolve, reject) => {
    const listener = { forecasted: () => resolve(), failed: reject }
    new Forecast({ pool, window, steps: 1, deadline: Infinity, isOneOfMany }, listener).start()
  })
}

t.test('a caller with one window does not wait behind a call with many', async t => {
  const model = await serving(t, { queueRows: 256 })
  const slots = model.pool.acquireMany(
    Array.from({ length: 100 }, () => 1),
    Infinity
  )
  let ended = 0
  const many = slots.map(slot => start(model, slot, true).then(() => ended++))
  await start(model, model.pool.acquire(), false)
  // Those before it in the ring, those that shared its batch, and those that main collected with them.
  t.ok(ended <= 3 * UNDER_WAY, `${ended} of 100 windows had ended`)
  await Promise.all(many)
  t.same([model.pool.taken, model.pool.backlog.steps], [0, 0])
})

t.test('many windows get half of the slots at the most, and all or none', async t => {
  const { pool } = await serving(t, { queueRows: 20 })
  const windows = (count: number) =>
    pool.acquireMany(
      Array.from({ length: count }, () => 1),
      Infinity
    )
  t.throws(() => windows(11), { code: 'queue_full', message: '11 windows need slots, 10 are free' })
  t.equal(pool.taken, 0)
  const slots = windows(8)
  t.throws(() => windows(3), { code: 'queue_full', message: '3 windows need slots, 2 are free' })
  const alone = pool.acquire()
  for (const slot of [...slots, alone]) pool.release(slot)
  t.equal(pool.taken, 0)
})
