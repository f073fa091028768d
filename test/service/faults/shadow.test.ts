import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { openBrowser, visit } from '../../support/browser.js'
import { gru, lstm, scaledGru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { buildFaulty } from '../../support/faulty-build.js'
import { registered } from '../../support/aliases.js'
import { scrape } from '../../support/scrape.js'
import { type Service, startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'

const ADMIN_TOKEN = 'token-of-the-shadow-tests'
const FACTOR = 1.125
const LOAD = { versions: promotedAs('1') }

interface State {
  model: { version: string } | null
  shadow: {
    ready: boolean
    model: { version: string } | null
    last_promotion: { outcome: string; reason?: string; message?: string } | null
    comparison: {
      idle: string | null
      rows: { compared: number; dropped: number; failed: number }
      differences: Record<string, { mean_relative: number }>
    } | null
  }
}

/** Looks at `/model` until it is as the test wants it. */
function reached(what: string, { url }: Service, wanted: (state: State['shadow']) => boolean): Promise<State> {
  return eventually(
    what,
    async () => {
      const state = (await (await fetch(`${url}/model`)).json()) as State
      return state.model && wanted(state.shadow) && state
    },
    60_000
  )
}

t.test('a shadow of MLflow is compared with the live model, and nothing that befalls it reaches a caller', async t => {
  const folder = t.testdir()
  scaledGru(`${folder}/scaled`, FACTOR)
  const registry = await registered(t, 'cells', [gru().folder, `${folder}/scaled`, lstm().folder])
  await registry.alias('promoted', '1')
  await registry.alias('candidate', '2')
  const FAULT_FILE = `${folder}/fault`
  const service = await startService({
    entry: await buildFaulty(`${folder}/build`, 'test/support/faulty-shadow.ts'),
    env: {
      ...registry.env,
      SHADOW_ALIAS: 'candidate',
      SHADOW_SHARE: '1',
      POLL_INTERVAL_MS: '300',
      ADMIN_TOKEN,
      FAULT_FILE
    }
  })
  t.teardown(() => service.process.kill('SIGKILL'))
  await reached('the shadow is there', service, ({ ready }) => ready)

  await t.test('its forecasts differ as they were made to', t =>
    underLoad(t, service, LOAD, async () => {
      const state = await reached('rows are compared', service, s => (s.comparison?.rows.compared ?? 0) >= 200)
      t.equal(state.shadow.model?.version, '2')
      for (const [feature, { mean_relative }] of Object.entries(state.shadow.comparison!.differences)) {
        t.ok(Math.abs(mean_relative - (FACTOR - 1)) < 1e-3, `${feature} by ${mean_relative}`)
      }
      const metrics = await scrape(service.url)
      const histogram = (part: string) => metrics.get(`gru_shadow_relative_difference_${part}`)
      t.equal(histogram('bucket{le="0.1",feature="down"}'), 0)
      t.equal(histogram('bucket{le="0.25",feature="down"}'), histogram('count{feature="down"}'))
      t.ok(metrics.get('gru_shadow_batch_duration_seconds_count')! > 0)
      const { page, complaints } = await visit(await openBrowser(t), service.url)
      await page.locator('#shadow').getByText('version 2 (candidate), with 100 % of the live rows').waitFor()
      t.match(
        await page.locator('#shadow').innerText(),
        /12\.[45]\d* % on average for \w+, the largest of all features, over [\d,]+ rows/
      )
      t.same(complaints, [])
      await page.close()
    })
  )

  await t.test('slow, it gets fewer rows', t =>
    underLoad(t, service, LOAD, async () => {
      writeFileSync(FAULT_FILE, 'slow')
      const dropped = (await scrape(service.url)).get('gru_shadow_rows_total{outcome="dropped"}')!
      await eventually('rows are dropped', async () => {
        return (await scrape(service.url)).get('gru_shadow_rows_total{outcome="dropped"}')! > dropped + 50
      })
    })
  )

  await t.test('dying again and again, it gets none until it lives', t =>
    underLoad(t, service, LOAD, async () => {
      writeFileSync(FAULT_FILE, 'dies')
      await reached('it is given up', service, ({ ready, comparison }) => !ready && comparison!.rows.failed > 0)
      t.ok((await scrape(service.url)).get('gru_shadow_worker_deaths_total')! > 0)
      t.equal((await scrape(service.url)).get('gru_worker_deaths_total'), 0)
      t.equal((await fetch(`${service.url}/readyz`)).status, 200)
      rmSync(FAULT_FILE)
      await reached('it is back', service, ({ ready }) => ready)
    })
  )

  await t.test('refused for another signature, with its alias gone, or the same as the live one', t =>
    underLoad(t, service, LOAD, async () => {
      await registry.alias('candidate', '3')
      const refusal = await reached('it is refused', service, s => s.last_promotion?.reason === 'signature_mismatch')
      t.match(refusal.shadow, {
        model: { version: '2' },
        last_promotion: { message: /cannot shadow version 1: .*features/ }
      })
      await registry.alias('candidate')
      await reached('it is gone', service, ({ model }) => model === null)
      await registry.alias('candidate', '1')
      await reached('it is idle', service, ({ comparison }) => comparison?.idle === 'same_model')
      await registry.alias('candidate', '2')
      await reached('it is compared', service, ({ comparison }) => (comparison?.rows.compared ?? 0) > 0)
    })
  )
  t.equal(await service.stop(), 0)
})
