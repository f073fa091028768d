import t from 'tap'
import { monotonicMs } from '../../src/clock.js'
import type { RefusalReason } from '../../src/errors.js'
import type { BundleFiles } from '../../src/model/bundle.js'
import { Forecast } from '../../src/model/forecaster.js'
import { runWindows } from '../../src/model/promotion/verify.js'
import { gru, lstm } from '../support/bundles.js'
import { rolloutOf } from '../support/pool.js'
import { refusedAs } from '../support/refused.js'

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

const BAD: [RefusalReason, (files: BundleFiles) => BundleFiles][] = [
  ['checksum_mismatch', flip],
  ['golden_mismatch', otherGolden],
  ['signature_mismatch', otherShape],
  ['manifest_invalid', files => ({ ...files, manifest: '{}' })],
  ['golden_invalid', files => ({ ...files, golden: '{}' })]
]

t.test('a bundle that must not serve is refused with its reason, and the old model goes on', async t => {
  const { active, rollout, source, seen } = rolloutOf('models/gru')
  const first = await rollout.run()
  for (const [reason, change] of BAD) {
    source.change = change
    await t.rejects(rollout.run(), refusedAs(reason))
    t.match(active.lastPromotion, { outcome: 'refused', reason })
    t.equal(active.serving, first)
    t.equal(active.ready, true)
  }
  source.folder = 'models/none'
  await t.rejects(rollout.run(), refusedAs('not_found'))
  const [window] = gru().golden.windows
  t.equal((await runWindows(first.pool, [window!], monotonicMs() + 60_000))[0]!.length, 11)
  t.same(seen.promotions, ['live', ...BAD.map(([reason]) => reason), 'not_found'])
  await rollout.close()
})

t.test('a new model takes over, and a forecast under way ends on the version that it began with', async t => {
  const { active, rollout, source } = rolloutOf('models/gru')
  const old = await rollout.run()
  const { golden, manifest } = gru()
  const columns = manifest.features.map(({ name }, index) => [name, golden.windows[0]!.window.map(row => row[index]!)])
  const table = { data: { ts: golden.windows[0]!.time, ...Object.fromEntries(columns) } as Record<string, unknown> }
  const window = old.reader.read(table, old.pool.acquire())
  let began!: () => void
  const underWay = new Promise<Forecast>((resolve, reject) => {
    began = () =>
      new Forecast(
        { pool: old.pool, window, steps: 400, deadline: Infinity },
        { forecasted: resolve, failed: reject }
      ).start()
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

t.test('roll-outs that are asked for at once are one', async t => {
  const { rollout, seen } = rolloutOf('models/gru')
  const models = await Promise.all([rollout.run(), rollout.run(), rollout.run()])
  t.equal(new Set(models).size, 1)
  t.same(seen.promotions, ['live'])
  await rollout.close()
})

t.test('a model that was just warmed has run every batch size in use', async t => {
  const { rollout, seen } = rolloutOf('models/gru')
  await rollout.run()
  t.equal(Math.max(...seen.batches), 16)
  t.ok(seen.batches.every(rows => rows <= 16))
  await rollout.close()
})
