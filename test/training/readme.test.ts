import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

t.test("README's commands register and promote the committed model", async t => {
  const section = readFileSync('README.md', 'utf8').split('## Promote a model\n')[1]!
  const commands = /```sh\n([^]*?)```/.exec(section)![1]!
  t.teardown(() => run('test/services/stop.sh'))
  const { stdout } = await run('bash', ['-euc', commands])
  const [registered, event] = stdout.trim().split('\n') as [string, string]
  const digest = createHash('sha256').update(readFileSync('models/gru/model.onnx')).digest('hex')
  const { run_id: runId } = JSON.parse(registered) as { run_id: string }
  t.match(JSON.parse(registered), { name: 'gru-traffic', version: '1', sha256: digest })
  t.match(JSON.parse(event), { name: 'gru-traffic', version: '1', run_id: runId, digest })
})
