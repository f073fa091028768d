import t from 'tap'
import { bodyOf, gru, lstm } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'
import { refused } from '../support/refusal.js'
import { withService } from '../support/shared-service.js'

const bundle = lstm()
const options = { env: { MODEL_DIR: bundle.folder } }

t.test(
  'a model of another kind, width, window and frequency serves without a change: its answers are the trainer own',
  t =>
    withService(t, options, async ({ ledger }) => {
      const windows = bundle.golden.windows.map((_, index) => index)
      const sent = windows.map(index => ledger.send(bodyOf(bundle, index), { right: goldenAnswer(bundle, index) }))
      for (const { status, json } of await Promise.all(sent)) {
        t.equal(status, 200)
        t.equal(json?.identifier, 'lstm-small')
        t.same(Object.keys(json?.predictions?.[0] ?? {}), ['ts', 'value', 'load_mw', 'wind_speed', 'temperature'])
        t.equal(json?.predictions?.[0]?.value, json?.predictions?.[0]?.load_mw)
      }
    })
)

t.test('its own columns, window and bounds hold, and no others', t =>
  withService(t, options, async ({ ledger }) => {
    const body = () => structuredClone(bodyOf(bundle, 0))
    const freezing = body()
    freezing.data.temperature![0] = -41
    await refused(t, ledger)('too cold', freezing, ['out_of_range', '/data/temperature/0'])
    freezing.data.temperature![0] = -40
    t.equal((await ledger.send(freezing)).status, 200, 'a bound may lie below zero')
    const short = body()
    for (const column of Object.values(short.data)) column.shift()
    await refused(t, ledger)('five rows', short, ['too_few_rows', '/data/ts'])
    await refused(t, ledger)('the columns of another model', bodyOf(gru(), 0), ['missing_column', '/data'])
  })
)

t.test('the state says what serves, and how long its windows are', t =>
  withService(t, options, async ({ ledger }) => {
    const { json: ping } = await ledger.get('/predict_ping')
    t.match(ping, { input_seq_len: 6, output_seq_len: 1, model_loaded: true })
    const { json: state } = await ledger.get('/model')
    t.match(state?.model, {
      name: 'lstm-small',
      window: 6,
      frequency_seconds: 300,
      target: 'load_mw',
      architecture: { type: 'LSTM' }
    })
  })
)
