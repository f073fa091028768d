import t from 'tap'
import { bodyOf, gru, lstm, type TestBundle } from '../support/bundles.js'
import { isGolden } from '../support/golden.js'
import type { Answer, Ledger } from '../support/ledger.js'
import { withService } from '../support/shared-service.js'

type Rows = NonNullable<Answer['predictions']>

/** Forecasts step by step, each row fed back by the caller's own hand. */
async function byHand(ledger: Ledger, bundle: TestBundle, index: number, steps: number): Promise<Rows> {
  const body = structuredClone(bodyOf(bundle, index))
  const rows: Rows = []
  for (let step = 0; step < steps; step++) {
    const { json } = await ledger.send(body)
    const row = json!.predictions![0]!
    rows.push(row)
    for (const [name, column] of Object.entries(body.data)) {
      column.shift()
      column.push(row[name])
    }
  }
  return rows
}

/** On a slow host 30 steps would not end within half of the default. */
const DEADLINE_MS = '20000'

for (const [name, bundle, env] of [
  ['the GRU', gru(), { DEADLINE_MS }],
  ['another model', lstm(), { MODEL_DIR: 'test/fixtures/bundles/lstm-small', DEADLINE_MS }]
] as const) {
  t.test(`${name}: n steps are n single calls fed back by hand`, t =>
    withService(t, { env }, async ({ ledger }) => {
      for (const index of [0, 1, 2]) {
        const [atOnce, singly] = await Promise.all([
          ledger.send(bodyOf(bundle, index, 30)),
          byHand(ledger, bundle, index, 30)
        ])
        t.equal(atOnce.status, 200)
        const rows = atOnce.json!.predictions!
        t.same(
          rows.map(({ ts }) => ts),
          singly.map(({ ts }) => ts),
          'the same times'
        )
        for (const [step, row] of rows.entries()) {
          // A batch of another size differs by 1e-7, which feeding back can make larger.
          const expected = bundle.manifest.features.map(feature => Number(singly[step]![feature.name]))
          t.ok(isGolden(bundle, expected, row, 1e-5), `window ${index}, step ${step + 1}`)
        }
      }
    })
  )

  t.test(`${name}: forecasts that feed back are the trainer's own`, t =>
    withService(t, { env }, async ({ ledger }) => {
      const { rollouts = [] } = bundle.golden
      t.ok(rollouts.length > 0, 'the trainer states some')
      for (const { index, forecasts } of rollouts) {
        const { json } = await ledger.send(bodyOf(bundle, index, forecasts.length))
        for (const [step, expected] of forecasts.entries()) {
          t.ok(isGolden(bundle, expected, json!.predictions![step]!), `rollout ${index}, step ${step + 1}`)
        }
      }
    })
  )
}
