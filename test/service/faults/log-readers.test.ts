import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { goldenAnswer } from '../../support/golden.js'
import { Ledger } from '../../support/ledger.js'
import { startService } from '../../support/service.js'
import { freePorts } from '../../support/servers/ports.js'

const predict = (ledger: Ledger) => ledger.send(bodyOf(gru(), 0), { right: goldenAnswer(gru(), 0) })

t.test('a service whose log nobody reads any more answers, and ends when it is told to', async t => {
  const service = await startService()
  t.teardown(() => service.process.kill('SIGKILL'))
  service.process.stdout!.destroy()
  service.process.stderr!.destroy()
  const ledger = new Ledger(service.url)
  t.teardown(() => ledger.close())
  t.match(await predict(ledger), { status: 200, wrong: false })
  service.process.kill('SIGTERM')
  const [code] = await once(service.process, 'exit')
  t.equal(code, 0)
})

/** Shells that give the service ($1 and on) a log; $0 is a path for one. A pipe of Linux holds 64 KiB, so that this one is full. */
const LOGS = {
  'a log that is read no further': 'mkfifo "$0"; exec 9<>"$0"; head -c 65536 /dev/zero >&9; exec "$@" >&9',
  'a log on a full disk': 'exec "$@" >/dev/full'
}

for (const [what, shell] of Object.entries(LOGS)) {
  t.test(`a service with ${what} answers, and ends when it is told to`, async t => {
    const [port] = (await freePorts(1)) as [number]
    const child = spawn('/bin/sh', ['-c', shell, join(t.testdir(), 'pipe'), process.execPath, 'dist/main.js'], {
      env: { PATH: process.env.PATH, PORT: String(port), DRAIN_DELAY_MS: '50' },
      stdio: 'ignore'
    })
    t.teardown(() => child.kill('SIGKILL'))
    const ledger = new Ledger(`http://127.0.0.1:${port}`)
    t.teardown(() => ledger.close())
    await eventually('it serves', async () => (await ledger.get('/readyz')).status === 200)
    t.match(await predict(ledger), { status: 200, wrong: false })
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    t.equal(code, 0)
  })
}
