import t from 'tap'
import type { RefusalReason } from '../../../../src/errors.js'
import type { BundleFiles } from '../../../../src/model/bundle/bundle.js'
import { Forecast } from '../../../../src/model/inference/forecast.js'
import type { ServingModel } from '../../../../src/model/promotion/active-model.js'
import { bodyOf, gru, lstm } from '../../../support/bundles.js'
import { rolloutOf } from '../../../support/pool.js'
import { refusedAs } from '../../../support/refused.js'

const flip = (files: BundleFiles): BundleFiles => {
  const model = Uint8Array.from(files.model)
  model[model.length >> 1]! ^= 1
  return { ...files, model }
}
const otherGolden = (files: BundleFiles): BundleFiles => {
  const golden = JSON.parse(files.golden) as { windows: { forecast: number[] }[] }
  golden.windows[5]!.forecast[0]! *= 1.001
  return { ...files, golden: JSON.stringify(golden) }
}
const otherShape = (files: BundleFiles): BundleFiles => ({
  ...files,
  manifest: files.manifest
    .replace(/"window": ?10/, '"window": 9')
    .replaceAll(/\["batch", ?10, ?11\]/g, '["batch",9,11]'),
  golden: JSON.stringify({
    ...(JSON.parse(files.golden) as object),
    windows: gru().golden.windows.map(one => ({ ...one, time: one.time.slice(1), window: one.window.slice(1) }))
  })
})

/** Asks a model for the steps that follow the first golden window. */
function forecast({ pool, reader }: ServingModel, steps: number): Promise<Forecast> {
  const window = reader.read(bodyOf(gru(), 0), pool.acquire())
  return new Promise((resolve, reject) => {
    new Forecast({ pool, window, steps, deadline: Infinity }, { forecasted: resolve, failed: reject }).start()
  })
}

const BAD: [RefusalReason, (files: BundleFiles) => BundleFiles][] = [
  ['checksum_mismatch', flip],
  ['golden_mismatch', otherGolden],
  ['signature_mismatch', otherShape],
  ['manifest_invalid', files => ({ ...files, manifest: '{}' })],
  ['golden_invalid', files => ({ ...files, golden: '{}' })]
]

/** Loading takes longer than any test here: what goes live first is what every test begins with. */
const { active, rollout, source, seen } = rolloutOf('models/gru', { batchCap: 4 })
t.teardown(() => rollout.close())
const whole = { ...source }
const first = Promise.all([rollout.run(), rollout.run(), rollout.run()])

t.test('rollouts that are asked for at once are one', async t => {
  t.equal(new Set(await first).size, 1)
  t.same(seen.promotions, ['live'])
})

t.test('a bundle that must not serve is refused with its reason, and the old model goes on', async t => {
  const [old] = await first
  t.teardown(() => Object.assign(source, whole))
  seen.promotions.length = 0
  for (const [reason, change] of BAD) {
    source.change = change
    await t.rejects(rollout.run(), refusedAs(reason))
    t.match(active.lastPromotion, { outcome: 'refused', reason })
    t.equal(active.serving, old)
    t.equal(active.ready, true)
  }
  source.folder = 'models/none'
  await t.rejects(rollout.run(), refusedAs('not_found'))
  t.equal((await forecast(old, 1)).values.length, 11)
  t.same(seen.promotions, [...BAD.map(([reason]) => reason), 'not_found'])
})

t.test('a new model takes over, and a forecast under way ends on the version that it began with', async t => {
  const [old] = await first
  let began!: () => void
  const underWay = new Promise<Forecast>((resolve, reject) => {
    began = () => void forecast(old, 400).then(resolve, reject)
  })
  source.folder = 'test/fixtures/bundles/lstm-small'
  const swapped = rollout.run()
  began()
  const next = await swapped
  t.equal(active.serving, next)
  t.equal(next.pool.bundle.manifest.name, lstm().manifest.name)
  t.equal((await underWay).values.length, 400 * 11)
  await old.pool.drained()
  await rollout.close()
  t.equal(active.serving, undefined)
})
