import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { freshCheckout, type Ran, runBlocks, shellBlocks } from '../support/readme/shell.js'

const run = promisify(execFile)

/** Far more than any block takes. */
const LIMIT_MS = 240_000

/** What was printed from the first block on that has these words: the lines that are JSON and no log. */
function answers(ran: Ran[], words: string): object[] {
  const first = ran.findIndex(({ commands }) => commands.includes(words))
  const lines = ran.slice(first).flatMap(({ stdout }) => stdout.split('\n'))
  const objects = lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as object)
  return objects.filter(one => !('level' in one))
}

/** Whether a process is gone, or waits only for its parent to collect it. */
function hasEnded(pid: string): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

t.test('README can be run from its top to its end in one shell, and does what it says', async t => {
  const checkout = freshCheckout()
  t.teardown(async () => {
    await run('test/servers/stop.sh', { cwd: checkout })
    rmSync(checkout, { recursive: true, force: true })
  })
  const blocks = shellBlocks(readFileSync('README.md', 'utf8'))
  const ran = await runBlocks(blocks, { checkout, limitMs: LIMIT_MS })
  for (const { commands, stdout, stderr, ended } of ran) {
    t.ok(ended, `every command ends well:\n${commands}`, ended ? {} : { stdout, stderr })
  }
  if (!t.equal(ran.filter(({ ended }) => ended).length, blocks.length, 'all blocks were run')) return

  t.test('a forecast', t => {
    t.match(
      answers(ran, '@examples/window.json').find(one => 'predictions' in one),
      {
        status: 'SUCCESS',
        identifier: 'gru-traffic',
        predictions: [{ ts: /^2018-02-28T06:14:00/ }]
      }
    )
    t.end()
  })

  t.test('the committed model is promoted twice, and the service swaps', t => {
    const digest = createHash('sha256').update(readFileSync('models/gru/model.onnx')).digest('hex')
    const printed = answers(ran, 'gru_training register')
    const [registered] = printed as [{ run_id: string }]
    t.match(registered, { name: 'gru-traffic', version: '1', sha256: digest })
    const rest = printed.filter(one => !('status' in one)).slice(1)
    t.match(rest, [
      { name: 'gru-traffic', version: '1', run_id: registered.run_id, digest },
      { model: { version: '1', sha256: digest }, promotion: { source: 'mlflow', stale: false } },
      { version: '2' },
      { version: '2', digest },
      { model: { version: '2' }, last_promotion: { outcome: 'live' }, promotion: { previous_version: '1' } }
    ])
    t.equal(rest.length, 5)
    t.end()
  })

  t.test('the benchmark wrote its table', t => {
    const [folder] = readdirSync(`${checkout}/results`) as [string]
    t.match(readFileSync(`${checkout}/results/${folder}/RESULTS.md`, 'utf8'), /^\| 1 \| 4 \| \d+ \|.*\| 0\.00 \|/m)
    t.end()
  })

  t.test('the secrets of the whole system are for their owner only', t => {
    t.equal(statSync(`${checkout}/.env`).mode & 0o777, 0o600)
    t.end()
  })
})

t.test(
  'a block that does not end is ended, with all that it and those before have started, and the next is not run',
  async t => {
    const checkout = freshCheckout()
    t.teardown(() => rmSync(checkout, { recursive: true, force: true }))
    const blocks = ['sleep 600 & echo $! $(sleep 600 >/dev/null & echo $!)\n', 'sleep 600\n', 'touch run\n']
    const ran = await runBlocks(blocks, { checkout, limitMs: 10_000 })
    t.match(ran, [{ ended: true }, { ended: false }])
    t.equal(ran.length, 2)
    for (const pid of ran[0]!.stdout.trim().split(' ')) t.ok(hasEnded(pid), `${pid} has ended`)
  }
)

t.test('a block in which a command fails is told, whatever comes after the command', async t => {
  const checkout = freshCheckout()
  t.teardown(() => rmSync(checkout, { recursive: true, force: true }))
  const ran = await runBlocks(['echo one\n', 'false\necho two\n'], { checkout, limitMs: LIMIT_MS })
  t.match(ran, [
    { stdout: 'one\n', ended: true },
    { stdout: '', ended: false }
  ])
})
