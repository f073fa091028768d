import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import type { Ledger } from '../../support/ledger.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'

const bundle = gru()
const ADMIN_TOKEN = 'canary-token-5d1e7a-0123456789'
const RELOAD = '/admin/reload'

const reload = (ledger: Ledger, authorization?: string, path = RELOAD) =>
  ledger.send('{}', { path, headers: authorization === undefined ? {} : { authorization } })

/** What is not the token: by header, and where else one could put it. */
const REFUSED: [string, string | undefined, string?][] = [
  ['no token', undefined],
  ['an empty one', 'Bearer '],
  ['another one', 'Bearer another-token-of-some-length'],
  ['one of the same length', `Bearer ${'x'.repeat(ADMIN_TOKEN.length)}`],
  ['its beginning', `Bearer ${ADMIN_TOKEN.slice(0, -1)}`],
  ['more than it', `Bearer ${ADMIN_TOKEN}x`],
  ['a space behind a part', `Bearer ${ADMIN_TOKEN.slice(0, 10)} ${ADMIN_TOKEN.slice(10)}`],
  ['in other letters', `Bearer ${ADMIN_TOKEN.toUpperCase()}`],
  ['twice', `Bearer ${ADMIN_TOKEN}, Bearer ${ADMIN_TOKEN}`],
  ['without a scheme', ADMIN_TOKEN],
  ['by another scheme', `Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString('base64')}`],
  ['in the query', undefined, `${RELOAD}?token=${ADMIN_TOKEN}&access_token=${ADMIN_TOKEN}`]
]

t.test('without a token configured there are no admin routes', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const path of [RELOAD, '/admin/rollback', '/admin']) {
      t.match(await reload(ledger, `Bearer ${ADMIN_TOKEN}`, path), {
        status: 404,
        json: { error: { code: 'not_found' } }
      })
    }
  })
)

t.test('only the token itself, in its header, lets anybody in; the refusals are all alike', t =>
  withService(t, { env: { ADMIN_TOKEN } }, async ({ service, ledger, before }) => {
    const texts = new Set<string>()
    for (const [what, header, path] of REFUSED) {
      const { status, headers, text } = await reload(ledger, header, path)
      t.equal(status, 401, what)
      t.equal(headers['www-authenticate'], 'Bearer', what)
      texts.add(text)
    }
    t.equal(texts.size, 1, 'nobody learns how close it was')
    const promotions = 'gru_promotions_total{outcome="live"}'
    t.equal(grown(promotions, before, await scrape(service.url)), 0, 'nothing was reloaded')
    const shown = [service.lines.join('\n'), ...ledger.entries.map(({ text }) => text)].join('\n')
    t.notMatch(shown, /canary-token/, 'the token is shown nowhere')
  })
)

t.test('a reload under load loses and spoils nothing', t =>
  withService(t, { env: { ADMIN_TOKEN } }, async ({ service, ledger, before }) => {
    const { version } = bundle.manifest
    await underLoad(t, { ...service, ledger }, { versions: promotedAs(version) }, async () => {
      for (const scheme of ['Bearer', 'bearer', 'Bearer']) {
        const { status, json } = await reload(ledger, `${scheme} ${ADMIN_TOKEN}`)
        t.equal(status, 200)
        t.match(json, { ready: true, model: { version }, last_promotion: { outcome: 'live' } })
      }
    })
    t.equal(grown('gru_promotions_total{outcome="live"}', before, await scrape(service.url)), 3)
    // Each rollout runs the golden windows and its warm-up, as the one at the start did before the first request.
    return { executed: 3 * before.get('gru_rows_executed_total')! }
  })
)

t.test('a bundle that must not serve is a 422 with the reason, and the old model goes on', async t => {
  const MODEL_DIR = `${t.testdir()}/bundle`
  cpSync('models/gru', MODEL_DIR, { recursive: true })
  const model = readFileSync(`${MODEL_DIR}/model.onnx`)
  await withService(t, { env: { ADMIN_TOKEN, MODEL_DIR } }, async ({ service, ledger, before }) => {
    writeFileSync(`${MODEL_DIR}/model.onnx`, model.subarray(1))
    const { status, json, text } = await reload(ledger, `Bearer ${ADMIN_TOKEN}`)
    t.equal(status, 422)
    t.match(json?.error, { code: 'model_refused', message: /^checksum_mismatch: / })
    t.notOk(text.includes(MODEL_DIR), 'where it lies is nobody else business')
    const { json: state } = await ledger.get('/model')
    t.match(state, { ready: true, last_promotion: { outcome: 'refused', reason: 'checksum_mismatch' } })
    t.equal(grown('gru_promotions_total{outcome="checksum_mismatch"}', before, await scrape(service.url)), 1)
    const right = goldenAnswer(bundle, 5)
    t.equal((await ledger.send(bodyOf(bundle, 5), { right })).status, 200)
    writeFileSync(`${MODEL_DIR}/model.onnx`, model)
    t.equal((await reload(ledger, `Bearer ${ADMIN_TOKEN}`)).status, 200, 'the next try counts by itself')
    return { executed: before.get('gru_rows_executed_total')! }
  })
})
