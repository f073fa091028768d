import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ADMIN_TOKEN, startBucket } from '../support/bucket.js'
import { bodyOf, gru } from '../support/bundles.js'
import { goldenAnswer } from '../support/golden.js'
import { Ledger } from '../support/ledger.js'
import { Operator } from '../support/operator.js'
import { startService } from '../support/service.js'
import { changedBundle } from '../support/wrong-bundles.js'

/** Files of onnxruntime's telemetry, one for each process that has it. The trial of a model has no other folder than this. */
const traces = () => readdirSync('/tmp').filter(name => name.startsWith('mat-debug-'))

t.test('a service that forecasts and tries a model tells nobody of it, and leaves no trace of that kind', async t => {
  const folder = t.testdir({ home: {}, temporary: {} })
  const [home, temporary] = [join(folder, 'home'), join(folder, 'temporary')]
  const bucket = await startBucket(t)
  await bucket.put(changedBundle({ version: '2' }))
  const before = traces()
  const env = { ...bucket.env(), HOME: home, TMPDIR: temporary }
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  const ledger = new Ledger(service.url)
  t.teardown(() => ledger.close())
  await new Operator(ledger, ADMIN_TOKEN).serves('2')
  t.match(await ledger.send(bodyOf(gru(), 0), { right: goldenAnswer(gru(), 0) }), { status: 200, wrong: false })
  t.equal(await service.stop(), 0)
  const left = [readdirSync(home), readdirSync(temporary)]
  t.same(left, [[], [`gru-inference-empty-${process.getuid!()}`]], 'nothing but the empty folder to load models in')
  t.same(traces(), before, 'and nothing from the trial')
})
