import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { hostShares, readHost, readProcess } from '../../../src/bench/watch/proc.js'
import { eventually } from '../../support/eventually.js'

/** Burns CPU and then says how much it has used by its own count (getrusage) in seconds; ends when its input ends. */
const BURNER = `
  process.title = ') 1 2 3 ('
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }
  while (used() < 0.5);
  console.log(used())
  process.stdin.resume()
`

const ps = (pid: number, column: string): string =>
  execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)])
    .toString()
    .trim()

async function burner(t: Test) {
  const child = spawn(process.execPath, ['-e', BURNER], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { pid: child.pid!, child, exit, ownCount: Number(line) }
}

t.test('CPU time is what the process itself counts, even under a name that looks like the file', async t => {
  const { pid, ownCount } = await burner(t)
  const { cpuSeconds } = readProcess(pid)
  t.ok(Math.abs(cpuSeconds - ownCount) < 0.05, `${cpuSeconds} s read, ${ownCount} s by its own count`)
})

t.test('memory and start are what ps says', async t => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  t.teardown(() => child.kill('SIGKILL'))
  const pid = child.pid!
  // Until it sleeps it is still being loaded.
  await eventually('a sleeping process', () => ps(pid, 'comm') === 'sleep' && ps(pid, 'stat').startsWith('S'))
  const { rssBytes, startTicks } = readProcess(pid)
  t.equal(rssBytes, Number(ps(pid, 'rss')) * 1024)
  const bootSeconds = Date.parse(ps(pid, 'lstart')) / 1000 - startTicks / 100
  const mine = readProcess(process.pid)
  const mineSeconds = Date.parse(ps(process.pid, 'lstart')) / 1000
  t.ok(mine.startTicks < startTicks, 'it started after this test')
  t.ok(Math.abs(mineSeconds - mine.startTicks / 100 - bootSeconds) <= 1.01, 'both count from the same boot')
})

t.test('a process that has ended is named', async t => {
  const { pid, child, exit } = await burner(t)
  child.kill('SIGKILL')
  await exit
  t.throws(() => readProcess(pid), { name: 'BenchError', code: 'child_died', message: `process ${pid} has ended` })
})

t.test('a process of which only the exit code is left counts as ended', async t => {
  // The shell starts a child, then becomes a program that never asks for its exit code; only then may the child end.
  const script = 'cat <&3 & echo $!; exec sleep 60 3<&-'
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  t.teardown(async () => {
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })
  const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string]
  await eventually('another program', () => ps(parent.pid!, 'comm').trim() === 'sleep')
  ;(parent.stdio[3] as Writable).end()
  await eventually('a zombie', () => ps(Number(line), 'stat').startsWith('Z'))
  t.throws(() => readProcess(Number(line)), { code: 'child_died' })
})

t.test('the host: busy, stolen and all time of all cores, by hand', t => {
  // user nice system idle iowait irq softirq steal guest guest_nice: guests are in user and nice already
  const first =
    'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 60 10 30 200 50 6 7 8 9 10\ncpu1 40 10 0 200 0 0 0 0 0 0\ncpu2 7 7 7 7 7 7 7 7 7 7\nintr 5\n'
  const second =
    'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 100 10 40 200 50 6 7 28 9 10\ncpu1 40 10 0 230 0 0 0 0 0 0\ncpu2 99 9 9 9 9 9 9 9 9 9\n'
  const folder = t.testdir({ first, second })
  const allowed = new Set([0, 1])
  const before = readHost(`${folder}/first`, allowed)
  t.same(before, { cores: 2, busy: 1.63, steal: 0.08, total: 6.21 }, 'without the core that is not for this process')
  // 40 + 10 busy, 30 idle, 20 stolen: of 100 ticks
  const { busyShare, stealShare } = hostShares(before, readHost(`${folder}/second`, allowed))
  t.ok(Math.abs(busyShare - 0.5) < 1e-9 && Math.abs(stealShare - 0.2) < 1e-9, `${busyShare}, ${stealShare}`)
  t.same(hostShares(before, before), { busyShare: 0, stealShare: 0 })
  t.throws(() => readHost(`${t.testdir({ empty: '' })}/empty`), /has no line of CPU times/)
  t.end()
})

t.test('the host is at least as busy as one process on it', async t => {
  const before = readHost()
  const { ownCount } = await burner(t)
  const { busy } = readHost()
  t.ok(busy - before.busy > ownCount - 0.1, `${busy - before.busy} s on the host, ${ownCount} s in one process`)
})
