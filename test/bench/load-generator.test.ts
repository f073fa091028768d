import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import t from 'tap'
import { type LoadOptions, startLoad } from '../../src/bench/load/generator.js'
import { mergeLatency } from '../../src/bench/samples/latency.js'
import type { Tick } from '../../src/bench/samples/merge.js'
import { eventually } from '../support/eventually.js'
import { type MoodyServer, moodyServer } from '../support/moody-server.js'

const order = (server: MoodyServer, more: Partial<LoadOptions> = {}): LoadOptions => ({
  url: server.url,
  ...{ users: 5, loadWorkers: 3, thinkMs: 0, bodies: ['{}'], checkEvery: 50, seed: 1, timeoutMs: 30_000 },
  ...more
})
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)
/** Not ended either: what has ended is a zombie until its parent hears of it. */
const isRunning = (pid: number): boolean => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
}
const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0)

t.test('users are exactly as many sockets, spread over the load workers, and every answer is counted', async t => {
  let good = 0
  const server = await moodyServer(({ number, answer }) => {
    if (number % 7 !== 0) good++
    answer(number % 7 === 0 ? 503 : 200, '{}')
  })
  t.teardown(server.close)
  const load = await startLoad(order(server))
  t.teardown(() => load.kill())
  const ticks: Tick[] = []
  load.onTick(tick => ticks.push(tick))
  await eventually('all connected', () => server.open.size === 5)
  const interval = await load.beginInterval()
  await eventually('two whole seconds', () => ticks.length >= 2)
  const figures = await interval.end()
  t.equal(server.open.size, 5)
  const whole = await load.drain()

  t.same(figures.connections, [2, 2, 1])
  t.equal(server.connections, 5)
  t.same(whole, { ok: good, completed: server.asked, errors: 0, lost: 0 })
  t.equal(sum(Object.values(figures.statuses)), figures.completed)
  t.equal(mergeLatency([figures.latencyUs]).totalCount, figures.statuses[200])
  t.equal(figures.perSecond.length, Math.floor(figures.elapsedMs / 1000))
  t.ok(sum(figures.perSecond) <= figures.statuses[200]! && figures.completed < whole.completed)
  t.equal(figures.eventLoopP99Ms.length, 3)
  t.ok(ticks.every(tick => tick.good > 0 && tick.failed > 0 && tick.p50Us > 0 && tick.p99Us >= tick.p50Us))
  t.notOk(load.pids.some(isAlive), 'the load workers have ended')
})

t.test('a measured interval counts the answers that come between its cuts, and only those', async t => {
  const held: (() => void)[] = []
  const server = await moodyServer(({ answer }) => held.push(() => answer(200, '{}')))
  t.teardown(server.close)
  const load = await startLoad(order(server, { users: 4, loadWorkers: 2 }))
  t.teardown(() => load.kill())
  const release = async (): Promise<void> => {
    const before = server.asked
    await eventually('four held', () => held.length === 4)
    for (const answer of held.splice(0)) answer()
    await eventually('the next four', () => server.asked === before + 4)
  }
  await eventually('the first four', () => server.asked === 4)
  await release()
  const interval = await load.beginInterval()
  await release()
  await release()
  const figures = await interval.end()
  const drained = load.drain()
  for (const answer of held.splice(0)) answer()
  t.equal(figures.completed, 8)
  t.equal((await drained).completed, 16)
})

t.test('a load worker that dies is named, and nothing is left running', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const load = await startLoad(order(server))
  const interval = await load.beginInterval()
  process.kill(load.pids[1]!, 'SIGKILL')
  await t.rejects(interval.end(), { code: 'child_died', message: 'load worker 2 of 3 has ended (SIGKILL)' })
  await load.kill()
  t.notOk(load.pids.some(isAlive))
})

t.test('the load workers end with their parent, even if it is killed', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const parent = spawn(process.execPath, [...process.execArgv, 'test/support/load-parent.ts', server.url], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const pids = JSON.parse(line) as number[]
  t.ok(pids.length === 2 && pids.every(isAlive))
  parent.kill('SIGKILL')
  await eventually('both load workers have ended', () => !pids.some(isAlive))
})

t.test('a load worker that has answered and ended is no crash, however late its parent hears of both', async t => {
  // Nobody listens there: nothing is in flight, and a drain ends the load workers at once.
  const server = await moodyServer(() => undefined)
  await server.close()
  for (let round = 0; round < 5; round++) {
    const load = await startLoad(order(server))
    const drained = load.drain()
    await new Promise(setImmediate)
    // Meanwhile the load workers answer and end, so that their exits and their last messages are read in one go.
    while (load.pids.some(isRunning)) continue
    t.match(await drained, { ok: 0 })
  }
})

t.test('an order that cannot be carried out is refused before anything starts', async t => {
  const server = await moodyServer(({ answer }) => answer(200, '{}'))
  t.teardown(server.close)
  const refused = (more: Partial<LoadOptions>, message: string | RegExp) =>
    t.rejects(startLoad(order(server, more)), { code: 'bad_flag', message })
  await refused({ users: 2 }, '2 users cannot be spread over 3 load workers')
  await refused({ url: 'ftp://example.test' }, 'ftp://example.test is no http URL')
  await refused({ bodies: [] }, 'there is no body to send')
  await refused({ expected: [null, null] }, '2 expected answers for 1 bodies')
  t.equal(server.connections, 0)
})
