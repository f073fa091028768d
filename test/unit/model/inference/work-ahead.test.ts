import t, { type Test } from 'tap'
import { monotonicMs } from '../../../../src/clock.js'
import { Forecast } from '../../../../src/model/inference/forecast.js'
import type { PoolOptions } from '../../../../src/model/inference/pool-contract.js'
import type { ServingModel } from '../../../../src/model/promotion/active-model.js'
import { SlotState } from '../../../../src/model/inference/ring/slots.js'
import { gru } from '../../../support/bundles.js'
import { rolloutOf } from '../../../support/pool.js'

const { manifest, golden } = gru()
/** Long forecasts that are under way at once: two batches. */
const UNDER_WAY = 32

async function serving(t: Test, options: Partial<PoolOptions> = {}): Promise<ServingModel> {
  const { rollout } = rolloutOf('models/gru', options)
  const model = await rollout.run()
  t.teardown(() => rollout.close())
  return model
}

/** Loading takes longer than any test here: those to whom the number of slots is nothing share one model. */
const shared = serving(t, { queueRows: 256 })

/** The shared model, which the test before has left without work. */
async function idle(): Promise<ServingModel> {
  const model = await shared
  t.same([model.pool.taken, model.pool.backlog.steps], [0, 0])
  return model
}

/** Starts a forecast of a golden window; `ended` hears how it ended. */
function start({ pool, reader }: ServingModel, steps: number, ended: (how: string) => void): Forecast {
  const { time, window } = golden.windows[0]!
  const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature]!)] as const)
  const valid = reader.read({ data: { time, ...Object.fromEntries(columns) } }, pool.acquire())
  const listener = { forecasted: () => ended('answered'), failed: ({ code }: { code: string }) => ended(code) }
  return new Forecast({ pool, window: valid, steps, deadline: Infinity }, listener).start()
}

t.test('long forecasts end in the order in which they came, not all together', async t => {
  const model = await idle()
  const ends: number[] = []
  await new Promise<void>(resolve => {
    for (let index = 0; index < 100; index++) {
      start(model, 10, () => {
        if (ends.push(index) === 100) resolve()
      })
    }
  })
  const overtaken = Math.max(...ends.map((index, slot) => index - slot))
  t.ok(overtaken <= UNDER_WAY, `none overtook more than ${UNDER_WAY} others: ${overtaken}`)
  t.equal(model.pool.backlog.steps, 0, 'no work is left in the books')
})

t.test('a forecast of one step does not wait for the long ones that came before it', async t => {
  const model = await idle()
  let longEnded = 0
  const all = Array.from(
    { length: 100 },
    () => new Promise<void>(resolve => start(model, 30, () => resolve(void longEnded++)))
  )
  await new Promise<void>(resolve => start(model, 1, () => resolve()))
  t.ok(longEnded <= UNDER_WAY, `${longEnded} of 100 long forecasts had ended`)
  await Promise.all(all)
})

t.test('what would not end in half of its time behind the work ahead is refused, and by its steps', async t => {
  const model = await idle()
  const { pool } = model
  const ended = Array.from({ length: 200 }, () => new Promise<void>(resolve => start(model, 30, () => resolve())))
  const msPerStep = 1000 / pool.backlog.rowsPerSecond
  // 6000 steps are ahead.
  t.equal(pool.refusal(30, 6000 * msPerStep * 2.5), undefined, 'patience for 1.25 times the work')
  t.match(pool.refusal(30, 6000 * msPerStep), { code: 'queue_full', message: /30 steps/ }, 'for a half of it')
  t.equal(pool.refusal(1, 6000 * msPerStep), undefined, 'one step is another matter')
  t.throws(() => pool.acquire(30, 6000 * msPerStep), { code: 'queue_full' })
  t.equal(pool.taken, 200, 'a refusal takes no slot')
  await Promise.all(ended)
  t.equal(pool.refusal(30, msPerStep), undefined, 'nothing is ahead: it may try')
})

t.test('whoever hangs up while a long forecast waits for its turn gives its slot back at once', async t => {
  const model = await idle()
  const ended: string[] = []
  const all = Array.from({ length: UNDER_WAY }, () => new Promise<void>(resolve => start(model, 20, () => resolve())))
  const waiting = Array.from({ length: 50 }, () => start(model, 20, how => ended.push(how)))
  t.equal(model.pool.taken, UNDER_WAY + 50)
  for (const forecast of waiting) forecast.cancel()
  t.equal(model.pool.taken, UNDER_WAY)
  await Promise.all(all)
  t.same(ended, [], 'their owners hear nothing')
  t.equal(model.pool.backlog.steps, 0)
})

t.test('nobody is refused while finished forecasts only wait to be collected', async t => {
  // As many slots as rows are handed over at once, so that the worker has them before this turn of the event loop ends.
  const PLACES = 8
  const model = await serving(t, { queueRows: PLACES, batchCap: PLACES })
  const { pool } = model
  let answered = 0
  const slots = Array.from({ length: PLACES }, () => start(model, 1, () => answered++).order.window.slot)
  const patience = monotonicMs() + 20_000
  const isDone = (slot: number) => Atomics.load(pool.slots.state, slot) === SlotState.DONE
  while (!slots.every(isDone) && monotonicMs() < patience);
  t.equal(pool.taken, PLACES)
  t.equal(pool.refusal(1, 1000), undefined)
  t.equal(answered, PLACES)
  t.equal(pool.taken, 0)
})
