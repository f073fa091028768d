import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { withService } from '../support/shared-service.js'

const bundle = gru()
const PLAIN = ['status', 'identifier', 'run_id', 'model_version', 'req_id', 'cached', 'predictions']

t.test('beyond five steps the answer says that they drift; up to five it has no such field', t =>
  withService(t, { env: { DEADLINE_MS: '20000' } }, async ({ ledger }) => {
    for (const steps of [1, 5]) {
      const { json } = await ledger.send(bodyOf(bundle, 0, steps))
      t.same(Object.keys(json!), PLAIN, `${steps} steps`)
    }
    for (const steps of [6, 30]) {
      const { json } = await ledger.send(bodyOf(bundle, 0, steps))
      t.same(Object.keys(json!), [...PLAIN, 'warnings'], `${steps} steps`)
      t.match(json!.warnings, [/^far_ahead: each step after the 5th /])
      t.equal(json!.predictions!.length, steps)
    }
  })
)

t.test('it comes beside what else speaks against a forecast', t =>
  withService(t, { env: { DEADLINE_MS: '20000' } }, async ({ ledger }) => {
    const uneven = bodyOf(bundle, 2, 6)
    uneven.data.ts![0] = '2018-01-01T00:00:00'
    t.match((await ledger.send(uneven)).json!.warnings, [/^uneven_spacing: /, /^far_ahead: /])
    t.match((await ledger.send({ ...uneven, inference_length: 5 })).json!.warnings, [/^uneven_spacing: /])
  })
)
