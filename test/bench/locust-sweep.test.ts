import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { openRun } from '../../src/bench/results/store.js'
import { freePorts } from '../support/servers/ports.js'

/** Runs a benchmark command to its end. */
async function bench(t: Test, args: readonly (string | number)[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['dist/bench/main.js', ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}

const HARD = ['servers-agree', 'connections', 'same-model', 'no-mismatch']

t.test('cells are measured with Locust as with our own generator, and stand beside each other', async t => {
  const folder = `${t.testdir()}/results`
  const [port] = (await freePorts(1)) as [number]
  const ours = await bench(t, [
    ...['--quick', '--replicas', 2, '--users', 8, '--load-workers', 2, '--duration', 3],
    ...['--port', port, '--out', folder]
  ])
  t.equal(ours.code, 0, ours.said)
  t.notMatch(readFileSync(`${folder}/RESULTS.md`, 'utf8'), /Two generators/)

  const checked = await bench(t, ['cross-check', folder, '--port', port])
  t.equal(checked.code, 0, checked.said)
  const { run, cells } = await openRun(`${folder}/locust`)
  t.match(run, { generator: 'locust', fingerprint: (await openRun(folder)).run.fingerprint })
  t.match(cells, [{ plan: (await openRun(folder)).cells[0]!.plan, load: { latencyUs: null } }])
  const [{ load, replicas, haproxy, checks, generator, notes }] = cells as [(typeof cells)[0]]
  t.equal(
    replicas.reduce((sum, { wholeOk }) => sum + wholeOk, 0),
    load.whole.ok,
    'Locust and the servers agree'
  )
  t.equal(haproxy?.frontendSessions, 8)
  t.same(
    checks.filter(({ name, ok }) => !ok && HARD.includes(name)),
    []
  )
  t.ok(load.latencyMs!.median! <= load.latencyMs!.p95!)
  t.ok(replicas.every(({ cpuSeconds }) => cpuSeconds! > 0) && generator.cpuSeconds > 0)
  t.same(notes, ["Locust's latencies are rounded"])
  const report = readFileSync(`${folder}/RESULTS.md`, 'utf8')
  t.match(report, /^## Two generators, the same cell$/m)
  t.match(report, /^\| custom\/2\/8\/2\/1 \| autocannon \|.*\n\| custom\/2\/8\/2\/1 \| locust \|/m)
  t.match(readFileSync(`${folder}/locust/RESULTS.md`, 'utf8'), /Locust sent the load\./)

  const again = await bench(t, ['cross-check', folder, '--port', port])
  t.equal(again.code, 0, again.said)
  t.equal((await openRun(`${folder}/locust`)).cells.length, 1, 'what was measured is not measured again')
  const twice = await bench(t, ['cross-check', `${folder}/locust`])
  t.equal(twice.code, 2)
  t.match(twice.said, /run\.json is not of a sweep/)
})

t.test('another generator is refused by name', async t => {
  const folder = `${t.testdir()}/results`
  const refused = await bench(t, ['--generator', 'wrk', '--out', folder])
  t.equal(refused.code, 2)
  t.match(refused.said, /--generator .*'wrk' is invalid.*autocannon, locust/s)
  t.notOk(existsSync(folder))
})
