import t from 'tap'
import type { BundleFiles } from '../../../src/model/bundle/bundle.js'
import { readLocalBundle } from '../../../src/model/bundle/files.js'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { greedy } from '../../support/onnx-bytes.js'
import { grown, scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { GENTLE, promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle, endless, misnamed, withModel, withOtherWeight } from '../../support/wrong-bundles.js'

const CALLERS = 200

function flipped(): BundleFiles {
  const files = changedBundle({ version: '2' })
  files.model[files.model.length >> 1]! ^= 1
  return files
}

const whole = changedBundle({ version: '2' })
const WRONG: Record<string, [BundleFiles, string]> = {
  'a bit that flipped in the store': [flipped(), 'checksum_mismatch'],
  'another name of a tensor': [changedBundle({ version: '2', model: misnamed }), 'signature_mismatch'],
  'a weight that was changed with the digest': [
    changedBundle({ version: '2', model: withOtherWeight }),
    'golden_mismatch'
  ],
  'a model that does not end': [endless(await readLocalBundle('test/fixtures/bundles/slow')), 'sandbox_timeout'],
  'a model that takes 8 GB': [withModel(whole, greedy(whole.model, 8)), 'sandbox_oom']
}

t.test('a model that is broken, wrong or greedy is refused with its reason while 200 callers see nothing', async t => {
  const bucket = await startBucket(t)
  await bucket.put(changedBundle({ version: '1' }))
  const env = { ...bucket.env(), POLL_INTERVAL_MS: '0', SANDBOX_TIMEOUT_MS: '15000' }
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = operatorOf(service)
  await operator.serves('1')
  await underLoad(t, service, { callers: CALLERS, rate: GENTLE.rate, versions: promotedAs('1', '2') }, async () => {
    for (const [what, [files, reason]] of Object.entries(WRONG)) {
      await bucket.put(files)
      const before = await scrape(service.url)
      const ended = await operator.order('reload')
      t.match(ended, { status: 422, json: { error: { message: new RegExp(`^${reason}: `) } } }, what)
      const last = { outcome: 'refused', reason }
      t.match(await operator.state(), { ready: true, model: { version: '1' }, last_promotion: last })
      const after = await scrape(service.url)
      t.equal(grown(`gru_promotions_total{outcome="${reason}"}`, before, after), 1, `counted as ${reason}`)
    }
    await bucket.put(whole)
    t.match(await operator.order('reload'), { status: 200, json: { model: { version: '2' } } }, 'a good one goes live')
  })
  t.equal(await service.stop(), 0)
})
