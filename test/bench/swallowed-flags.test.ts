import { spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'

/** What npm itself makes of a command line, with this project's script of the same name and its benchmark. */
async function npmRun(line: string) {
  const folder = await mkdtemp(join(tmpdir(), 'swallowed-'))
  const scripts = { bench: `exec node ${resolve('dist/bench/main.js')}` }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', scripts }))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return spawnSync('npm', ['run', '--silent', 'bench', ...line.split(' ')], { cwd: folder, env, encoding: 'utf8' })
}

const TAKEN = {
  '--quick': ['--quick', 'npm run bench -- --quick'],
  '--no-ui': ['--ui', 'npm run bench -- --ui'],
  '--users=5 --ui-port 80': ['--users --ui-port', 'npm run bench -- --users --ui-port'],
  'slo --p99 50': ['--p99', 'npm run bench -- slo --p99'],
  '--quick -- --users 200': ['--quick', 'npm run bench -- --quick']
}

t.test('flags that npm kept for itself, without --, are refused with the line that was meant', async t => {
  for (const [line, [flags, meant]] of Object.entries(TAKEN)) {
    const { status, stderr } = await npmRun(line)
    t.equal(status, 2, line)
    t.match(stderr, `bench: npm took ${flags} for itself: put "--" before the flags, as in ${meant}\n`)
  }
})

t.test('flags after -- reach the benchmark', async t => {
  const { status, stdout } = await npmRun('-- slo --help')
  t.equal(status, 0)
  t.match(stdout, '--p99 <ms>')
  t.match((await npmRun('-- --quick --users 0')).stderr, "option '--users <n,n>' argument '0' is invalid")
})
