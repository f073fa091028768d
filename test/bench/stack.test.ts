import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { balanceFor } from '../../src/bench/stack/balance.js'
import { type StackOptions, startStack } from '../../src/bench/stack/stack.js'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { goldenAnswer } from '../support/golden.js'
import { HAPROXIES } from '../support/haproxies.js'
import { Ledger } from '../support/ledger.js'
import { childrenOf } from '../support/process-facts.js'
import { freePorts } from '../support/servers/ports.js'

const run = promisify(execFile)
const bundle = gru()

// Sockets of HAProxy are below the temporary folder: this file has one of its own, short enough for their paths.
const folder = mkdtempSync(join(tmpdir(), 'stack-'))
process.env.TMPDIR = folder
t.teardown(() => rmSync(folder, { recursive: true }))

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const freePort = async () => (await freePorts(1))[0]!

/** Expects a start that fails with one line, and that what had been started is gone, sockets included. */
async function refused(t: Test, options: Partial<StackOptions>, error: { code: string; message: string | RegExp }) {
  const before = childrenOf(process.pid)
  const port = await freePort()
  await t.rejects(startStack({ replicas: 2, port, ...options }), { name: 'BenchError', ...error })
  t.same(childrenOf(process.pid), before, 'no process is left')
  t.same(readdirSync(folder), [], 'no file is left')
}

/** Requests that each replica has been sent by HAProxy while 20 forecasts, all right, came through it, so many at once. */
async function shares(t: Test, stack: Awaited<ReturnType<typeof startStack>>, atOnce = 1): Promise<number[]> {
  const before = (await stack.haproxy.stats()).servers
  const ledger = new Ledger(stack.url)
  for (let sent = 0; sent < 20; sent += atOnce) {
    const send = () => ledger.send(bodyOf(bundle, 0), { right: goldenAnswer(bundle, 0) })
    await Promise.all(Array.from({ length: atOnce }, send))
  }
  ledger.close()
  t.same(ledger.statuses, { 200: 20 })
  t.same(ledger.wrong, [])
  const after = (await stack.haproxy.stats()).servers
  return stack.replicas.map(({ name }) => after[name]!.ok - before[name]!.ok)
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`${name} takes haproxy.cfg without a warning`, async t => {
    const { stdout, stderr } = await run(program, ['-c', '-f', 'haproxy.cfg'])
    t.match(stdout, 'Configuration file is valid')
    t.notMatch(stdout + stderr, /WARNING|ALERT/)
  })

  t.test(`behind ${name} exactly the replicas that are asked for take traffic, without a restart`, async t => {
    const stack = await startStack({ replicas: 3, port: await freePort(), haproxy: program })
    t.teardown(() => stack.stop())
    const pids = [stack.haproxy.pid, ...stack.replicas.map(({ pid }) => pid)]
    t.match((await run(program, ['-v'])).stdout, stack.haproxy.version, 'it says which HAProxy it is')
    for (const count of [3, 1, 2]) {
      const active = await stack.scale(count)
      t.same(active, stack.replicas.slice(0, count))
      const served = await shares(t, stack)
      t.equal(
        served.reduce((sum, own) => sum + own),
        20,
        'HAProxy has counted what was sent'
      )
      t.ok(served.slice(0, count).every(Boolean), `each of ${count} took some: ${served}`)
      t.ok(!served.slice(count).some(Boolean), 'and no other')
      const { servers } = await stack.haproxy.stats()
      const most = active.map(({ name }) => servers[name]!.maxconn)
      t.same(
        most,
        count === 1 ? [256] : active.map(() => 64),
        'HAProxy allows more concurrent requests to a single replica'
      )
    }
    await t.rejects(stack.scale(4), { code: 'bad_flag', message: 'replicas must be 1 to 3, not 4' })
    t.ok(pids.every(isAlive), 'they are the processes of the start')
    await stack.stop()
    t.notOk(pids.some(isAlive), 'all have ended')
    t.same(readdirSync(folder), [], 'no socket is left')
  })

  t.test(`behind ${name} replicas that are more than the cores take turns`, async t => {
    const haproxyEnv = { LB_BALANCE: balanceFor(3, 2), LB_REPLICA_MAXCONN: '48' }
    const stack = await startStack({ replicas: 3, port: await freePort(), haproxy: program, haproxyEnv })
    t.teardown(() => stack.stop())
    t.match((await stack.haproxy.stats()).servers, { r1: { maxconn: 48 } }, 'a limit that is asked for holds')
    const taken = [0, 0, 0]
    let uneven = 0
    for (let burst = 0; burst < 60; burst++) {
      const served = await shares(t, stack, 20)
      served.forEach((count, index) => (taken[index]! += count))
      if (!served.every(Boolean)) uneven++
    }
    // With leastconn a burst reaches all three. How many turns it lasts is a matter of the machine.
    t.ok(uneven > 0, `${uneven} bursts left a replica out`)
    t.ok(taken.every(Boolean), `and each had some: ${taken}`)
  })
}

t.test('replicas take turns only where they are more than the cores', t => {
  t.equal(balanceFor(2, 2), 'leastconn')
  t.equal(balanceFor(8, 8), 'leastconn')
  t.match(balanceFor(3, 2), /^hash date/)
  t.end()
})

t.test('a missing haproxy is one line, and nothing is left', t =>
  refused(t, { haproxy: 'no-such-haproxy' }, { code: 'program_missing', message: 'no-such-haproxy is not installed' })
)

t.test('a port in use is named, and nothing is left', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  await refused(t, { port }, { code: 'port_in_use', message: `port ${port} is in use` })
})

t.test('a replica that does not start is named with its last line, and nothing is left', t =>
  refused(
    t,
    { env: { MODEL_DIR: '/no/such/bundle' } },
    { code: 'start_failed', message: /^replica r1 did not start \(1\): gru-inference: MODEL_DIR .+ENOENT/ }
  )
)

t.test('a HAProxy that does not start is named with what it said, and nothing is left', t =>
  refused(
    t,
    { haproxyEnv: { LB_BALANCE: 'nobody' } },
    { code: 'start_failed', message: /^haproxy did not start \(1\): / }
  )
)

t.test('a number of replicas that there cannot be is named', async t => {
  for (const replicas of [0, 9, 1.5]) {
    await refused(t, { replicas }, { code: 'bad_flag', message: `replicas must be 1 to 8, not ${replicas}` })
  }
})

t.test('a replica that dies under way is reported with how it ended', async t => {
  const stack = await startStack({ replicas: 2, port: await freePort() })
  t.teardown(() => stack.stop())
  process.kill(stack.replicas[1]!.pid, 'SIGKILL')
  t.match(await stack.died, { code: 'child_died', message: /^replica r2 ended \(SIGKILL\)/ })
})

t.test('without a build it says what to run', async t => {
  const elsewhere = t.testdir()
  const start = `import { startStack } from ${JSON.stringify(import.meta.resolve('../../src/bench/stack/stack.ts'))}
    await startStack({ replicas: 1 }).catch(({ code, message }) => console.log(code, message))`
  const tsx = import.meta.resolve('tsx')
  const args = ['--import', tsx, '--input-type=module', '--eval', start]
  const { stdout } = await run(process.execPath, args, { cwd: elsewhere })
  t.equal(stdout, 'not_built dist/main.js is not there: run npm run build first\n')
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  t.test(`nothing outlives its starter that ends by ${signal}`, async t => {
    const args = [...process.execArgv, 'test/support/stack-parent.ts', String(await freePort())]
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const pids = JSON.parse(line) as number[]
    t.ok(pids.length === 3 && pids.every(isAlive))
    parent.kill(signal)
    await eventually('HAProxy and both replicas have ended', () => !pids.some(isAlive))
  })
}
