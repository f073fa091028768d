import t from 'tap'
import { bodyOf, gru, lstm } from '../support/bundles.js'
import { isGolden } from '../support/golden.js'
import type { Answer } from '../support/ledger.js'
import { wired } from '../support/wired.js'

const bundle = gru()
/** Shared, as wiring loads the model: whoever drains it comes last. */
const { app, service, logged } = await wired(t)

t.test('the service answers every golden window as the trainer did, and no port is open', async t => {
  t.equal(app.server.listening, false)
  for (const [index, { forecast }] of bundle.golden.windows.entries()) {
    const answer = await app.inject({ method: 'POST', url: '/predict', payload: bodyOf(bundle, index) })
    t.equal(answer.statusCode, 200)
    const [row] = answer.json<Answer>().predictions!
    t.ok(isGolden(bundle, forecast, row!), `window ${index}`)
  }
})

t.test('several steps are those of the trainer, each fed back', async t => {
  for (const { index, forecasts } of bundle.golden.rollouts ?? []) {
    const payload = bodyOf(bundle, index, forecasts.length)
    const rows = (await app.inject({ method: 'POST', url: '/predict', payload })).json<Answer>().predictions!
    t.equal(rows.length, forecasts.length)
    t.ok(isGolden(bundle, forecasts[0]!, rows[0]!), 'the first step')
  }
})

t.test('another model brings its own columns, window and frequency', async t => {
  const bundle = lstm()
  const { app } = await wired(t, { MODEL_DIR: bundle.folder })
  const answer = await app.inject({ method: 'POST', url: '/predict', payload: bodyOf(bundle, 0) })
  t.ok(isGolden(bundle, bundle.golden.windows[0]!.forecast, answer.json<Answer>().predictions![0]!))
})

t.test('the log tells of the promotion, with the version and the time that it took', async t => {
  const [promotion] = logged.filter(({ msg }) => msg === 'promotion')
  t.match(promotion, { outcome: 'live', version: bundle.manifest.version, seconds: Number })
})

t.test('a bundle that may not serve ends the start with its reason', async t => {
  await t.rejects(wired(t, { MODEL_DIR: t.testdir({}) }), { name: 'ModelRefused', reason: 'not_found' })
})

t.test('it is ready with a model, and no more once it drains', async t => {
  t.equal((await app.inject('/readyz')).statusCode, 200)
  service.drain.draining = true
  t.equal((await app.inject('/readyz')).statusCode, 503)
  t.equal((await app.inject('/healthz')).statusCode, 200, 'it lives on')
})
