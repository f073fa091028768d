import { readFileSync } from 'node:fs'
import t from 'tap'
import { type ForecastSession, openSession } from '../../../../../src/model/inference/worker/onnx-session.js'
import { gru, lstm } from '../../../../support/bundles.js'

const open = async (folder: string): Promise<ForecastSession> => openSession(readFileSync(`${folder}/model.onnx`))

t.test('a batch with a dimension of zero throws: onnxruntime would abort the process', async t => {
  const session = await open('models/gru')
  t.teardown(() => session.release())
  const empty = new Float32Array(0)
  const row = new Float32Array(10 * 11)
  await t.rejects(session.run({ window: empty }, 0, 10), RangeError, 'no rows')
  await t.rejects(session.run({ window: empty }, 1, 0), RangeError, 'no steps')
  await t.rejects(session.run({ window: empty }, 1, 10), RangeError, 'no features')
  await t.rejects(session.run({ window: row }, 0, 10), RangeError)
  await t.rejects(session.run({ window: row }, 1, 0), RangeError)
  await t.rejects(session.run({ window: row }, -1, 10), RangeError)
  await t.rejects(session.run({ window: row }, NaN, 10), RangeError)
  await t.rejects(session.run({ window: row.subarray(1) }, 1, 10), RangeError, 'a value too few')
  t.equal((await session.run({ window: row }, 1, 10)).length, 11, 'and it still runs')
})

t.test('a window of another width or length is an error, not an abort', async t => {
  const session = await open('models/gru')
  t.teardown(() => session.release())
  await t.rejects(session.run({ window: new Float32Array(10 * 12) }, 1, 10))
  await t.rejects(session.run({ window: new Float32Array(9 * 11) }, 1, 9))
  await t.rejects(session.run({ window: new Float32Array(2 * 10 * 11) }, 1, 20))
  t.equal((await session.run({ window: new Float32Array(2 * 10 * 11) }, 2, 10)).length, 22)
})

t.test("every batch size gives the trainer's answers, with the minutes where the graph takes them", async t => {
  for (const bundle of [gru(), lstm()]) {
    const { manifest, golden } = bundle
    const session = await open(bundle.folder)
    t.teardown(() => session.release())
    t.same(session.inputs.map(({ name }) => name).sort(), manifest.inputs.map(({ name }) => name).sort())
    for (const rows of [1, 2, 3, 7, 16]) {
      const windows = golden.windows.slice(0, rows)
      const window = Float32Array.from(windows.flatMap(({ window }) => window.flat()))
      const minutes = windows.flatMap(({ minute = [] }) => minute)
      const input = minutes.length > 0 ? { window, minute: Int32Array.from(minutes) } : { window }
      const forecasts = await session.run(input, windows.length, manifest.window)
      windows.forEach(({ forecast }, row) => {
        const width = manifest.features.length
        const right = forecast.every((want, feature) => {
          const allowed = Math.max(Math.abs(want) * golden.tolerance.relative, golden.tolerance.absolute[feature]!)
          return Math.abs(forecasts[row * width + feature]! - want) <= allowed
        })
        t.ok(right, `${manifest.name}: row ${row} of ${rows}`)
      })
    }
  }
})

t.test('bytes that are no model are refused', async t => {
  await t.rejects(openSession(new Uint8Array(0)))
  await t.rejects(openSession(new Uint8Array(1000)))
  await t.rejects(openSession(readFileSync('models/gru/model.onnx').subarray(0, 1000)))
})
