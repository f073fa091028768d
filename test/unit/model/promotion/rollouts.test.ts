import t from 'tap'
import { Forecast } from '../../../../src/model/inference/forecast.js'
import type { ServingModel } from '../../../../src/model/promotion/active-model.js'
import { gru, lstm, type TestBundle } from '../../../support/bundles.js'
import { rolloutOf } from '../../../support/pool.js'

/** Forecasts `steps` rows of a golden window through the ring. */
function forecast({ pool, reader }: ServingModel, { manifest, golden }: TestBundle, index: number, steps: number) {
  const { time, window } = golden.windows[index]!
  const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature]!)] as const)
  const valid = reader.read({ data: { time, ...Object.fromEntries(columns) } }, pool.acquire())
  return new Promise<Forecast>((resolve, reject) => {
    const listener = { forecasted: resolve, failed: reject }
    new Forecast({ pool, window: valid, steps, deadline: Infinity }, listener).start()
  })
}

// Each step adds float32's rounding to a window that the next step reads, and the trainer rounds elsewhere: over 30 steps
// of feedback 1e-3 relative is what two right implementations may differ by.
const DRIFT = 1e-3

for (const [name, bundle] of [
  ['GRU', gru()],
  ['LSTM with times, another window and another frequency', lstm()]
] as const) {
  t.test(`fed back, the ${name} goes the way that its trainer went`, async t => {
    const { rollout } = rolloutOf(bundle.folder)
    const model = await rollout.run()
    const { rollouts = [], tolerance } = bundle.golden
    t.ok(rollouts.length > 0)
    for (const { index, forecasts } of rollouts) {
      const { values } = await forecast(model, bundle, index, forecasts.length)
      const width = bundle.manifest.features.length
      const off = forecasts.flat().filter((want, at) => {
        const allowed = Math.max(Math.abs(want) * DRIFT, tolerance.absolute[at % width]! * 10)
        return Math.abs(values[at]! - want) > allowed
      })
      t.same(off, [], `window ${index}, ${forecasts.length} steps`)
    }
    await rollout.close()
  })
}
