import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'
import { type Change, changedBundle, resetFirst, withNan } from '../../support/wrong-bundles.js'

const WRONG: Record<string, [Change, string]> = {
  'another name of a tensor': [{ manifest: ({ outputs }) => (outputs[0]!.name = 'answer') }, 'signature_mismatch'],
  'another rank': [{ manifest: ({ outputs }) => outputs[0]!.shape.push(1) }, 'signature_mismatch'],
  'another type': [{ manifest: ({ inputs }) => (inputs[0]!.type = 'float64') }, 'signature_mismatch'],
  'a feature less than the graph': [
    {
      manifest: ({ features, inputs, outputs }) => {
        features.pop()
        inputs.find(({ name }) => name === 'window')!.shape[2] = features.length
        outputs[0]!.shape[1] = features.length
      },
      golden({ tolerance, windows }) {
        tolerance.absolute.pop()
        for (const { window, forecast } of windows) for (const row of [...window, forecast]) row.pop()
      }
    },
    'signature_mismatch'
  ],
  'a reset gate that comes first': [{ model: resetFirst }, 'golden_mismatch'],
  'a weight that is not a number': [{ model: withNan }, 'golden_mismatch']
}

t.test('a bundle with a wrong signature or wrong answers is refused with its reason', async t => {
  const bucket = await startBucket(t)
  await bucket.put(changedBundle({ version: '1' }))
  const service = await startService({ env: { ...bucket.env(), CACHE_DIR: `${t.testdir()}/cache` } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = operatorOf(service)
  await operator.serves('1')
  await underLoad(t, service, { versions: promotedAs('1') }, async () => {
    for (const [what, [change, reason]] of Object.entries(WRONG)) {
      await bucket.put(changedBundle({ version: '2', ...change }))
      const ended = await operator.order('reload')
      t.match(ended, { status: 422, json: { error: { message: new RegExp(`^${reason}: `) } } }, what)
      t.match(await operator.state(), { model: { version: '1' }, last_promotion: { outcome: 'refused', reason } })
    }
  })
  t.equal(await service.stop(), 0)
})
