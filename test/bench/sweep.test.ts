import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import t from 'tap'
import { openRun } from '../../src/bench/results/store.js'
import { bench, cellsIn, descendants, flags, interrupt, isAlive } from '../support/bench-process.js'
import { eventually } from '../support/eventually.js'
import { startService } from '../support/service.js'
import { freePorts } from '../support/servers/ports.js'

t.test('a sweep that is interrupted keeps its cells, leaves nothing running, and is gone on with', async t => {
  const folder = `${t.testdir()}/results`
  const interrupted = bench(t, [...(await flags(folder)), '--balance', 'roundrobin'])
  await eventually('a cell', () => cellsIn(folder).length > 0, 60_000)
  await interrupt(t, interrupted)
  const kept = cellsIn(folder)
  t.ok(kept.length < 4)
  t.match(
    readFileSync(`${folder}/RESULTS.md`, 'utf8'),
    new RegExp(`${4 - kept.length} of 4 cells have not been measured`)
  )

  const resumed = bench(t, ['--resume', folder])
  t.equal(await resumed.ended, 0, resumed.said())
  t.same(cellsIn(folder).slice(0, kept.length), kept, 'what was measured stays as it was')
  const { run, cells } = await openRun(folder)
  const keys = cells.map(({ plan }) => plan.key)
  t.same(keys.toSorted(), run.plan.map(({ key }) => key).toSorted(), 'every cell, and none twice')
  const report = readFileSync(`${folder}/RESULTS.md`, 'utf8')
  t.notMatch(report, /have not been measured/)
  t.match(
    report,
    /HAProxy uses `balance roundrobin`\. HAProxy allows 64 concurrent requests to each of several replicas, and 256 to a single replica\./
  )
  for (const { load, replicas, plan, haproxy, checks } of cells) {
    t.equal(replicas.length, plan.replicas)
    t.equal(haproxy?.frontendSessions, 8)
    t.equal(
      load.whole.ok,
      replicas.reduce((sum, { wholeOk }) => sum + wholeOk, 0),
      'client and servers agree'
    )
    t.ok(load.checked > 0 && load.mismatched === 0)
    t.same(
      checks.filter(
        ({ name, ok }) => !ok && ['servers-agree', 'connections', 'same-model', 'no-mismatch'].includes(name)
      ),
      []
    )
  }

  const again = bench(t, ['--resume', folder])
  t.equal(await again.ended, 0)
  t.equal(cellsIn(folder).length, 4, 'nothing is left to run')
  const itself = bench(t, ['compare', folder, folder])
  t.equal(await itself.ended, 0, itself.said())
})

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGKILL', 'SIGKILL']
] as const) {
  t.test(`${signal} in the middle of a cell leaves no process behind`, async t => {
    const folder = `${t.testdir()}/results`
    const killed = bench(t, await flags(folder))
    // The stack, and load workers at work.
    const started = await eventually('load workers', async () => {
      const below = existsSync(`${folder}/run.json`) ? await descendants(killed.pid) : []
      return below.length >= 5 && below
    })
    killed.kill(signal)
    t.equal(await killed.ended, code)
    await eventually('all have ended', () => started.filter(isAlive).length === 0)
  })
}

t.test('a replica that is killed under way ends the sweep with one line, and what was measured stays', async t => {
  const folder = `${t.testdir()}/results`
  const args = await flags(folder)
  const broken = bench(t, args)
  await eventually('a cell', () => cellsIn(folder).length > 0, 60_000)
  const { cells } = await openRun(folder)
  t.equal(cells.length >= 1, true)
  const started = await descendants(broken.pid)
  const replica = started.find(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dist/main.js'))!
  process.kill(replica, 'SIGKILL')
  t.equal(await broken.ended, 4, broken.said())
  t.match(broken.said(), /^bench: replica r\d ended \(SIGKILL\)/m)
  t.same(started.filter(isAlive), [])
  t.ok(cellsIn(folder).length >= 1)
})

t.test('a port in use ends it before anything is measured', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const folder = `${t.testdir()}/results`
  const refused = bench(t, ['--replicas', 1, '--users', 8, '--load-workers', 1, '--port', port, '--out', folder])
  t.equal(await refused.ended, 3)
  t.match(refused.said(), `bench: port ${port} is in use`)
  t.notOk(existsSync(folder))
})

t.test('a target that runs already is measured and not touched', async t => {
  const service = await startService()
  t.teardown(() => service.stop())
  const folder = `${t.testdir()}/results`
  const target = ['--target', service.url, '--replica-metrics', `${service.url}/metrics`]
  const measured = bench(t, [...target, '--users', 6, '--load-workers', 2, '--duration', 1, '--quick', '--out', folder])
  t.equal(await measured.ended, 0, measured.said())
  const { run, cells } = await openRun(folder)
  t.match(run, { target: service.url, fingerprint: { haproxy: null } })
  t.match(cells, [{ haproxy: null, replicas: [{ cpuSeconds: null }] }])
  const [{ load, replicas, checks }] = cells as [(typeof cells)[0]]
  t.equal(replicas[0]!.wholeOk, load.whole.ok)
  t.match(
    checks.find(({ name }) => name === 'connections'),
    { ok: true, detail: /the server side counts 6 connections/ }
  )
})

t.test('a target that is down is one line', async t => {
  const [port] = (await freePorts(1)) as [number]
  const folder = `${t.testdir()}/results`
  const down = bench(t, ['--target', `http://127.0.0.1:${port}`, '--out', folder])
  t.equal(await down.ended, 4)
  t.match(down.said(), new RegExp(`^bench: no model from http://127.0.0.1:${port}/model: .*ECONNREFUSED`, 'm'))
  t.notOk(existsSync(folder))
})
