import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { freePorts } from '../../support/servers/ports.js'

const run = promisify(execFile)

t.test("README's commands promote the committed model twice, and the service swaps", async t => {
  const section = readFileSync('README.md', 'utf8').split('## Promote a model\n')[1]!
  const [PORT] = (await freePorts(1)).map(String) as [string]
  const commands = /```sh\n([^]*?)```/.exec(section)![1]!.replaceAll(':8080/', `:${PORT}/`)
  t.teardown(() => run('test/servers/stop.sh').catch(() => undefined))
  const { stdout } = await run('bash', ['-euc', commands], { env: { ...process.env, PORT } })
  const printed = stdout.trim().split('\n')
  t.equal(printed.length, 7)
  const [registered, event, ready, first, again, forced, second] = printed.map(line => JSON.parse(line) as object)
  const digest = createHash('sha256').update(readFileSync('models/gru/model.onnx')).digest('hex')
  const { run_id: runId } = registered as { run_id: string }
  t.match(registered, { name: 'gru-traffic', version: '1', sha256: digest })
  t.match(event, { name: 'gru-traffic', version: '1', run_id: runId, digest })
  t.match(ready, { status: 'ready' })
  t.match(first, { model: { version: '1', sha256: digest }, promotion: { source: 'mlflow', stale: false } })
  t.match([again, forced], [{ version: '2' }, { version: '2', digest }])
  t.match(second, { model: { version: '2' }, last_promotion: { outcome: 'live' }, promotion: { previous_version: '1' } })
})
