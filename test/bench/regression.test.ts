import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { bench, type Bench, descendants } from '../support/bench-process.js'
import { eventually } from '../support/eventually.js'
import { freePorts } from '../support/servers/ports.js'

/** ms that the slowed replica stands still, and runs, in turn */
const STILL = 280
const RUNNING = 20

async function sweep(folder: string): Promise<(string | number)[]> {
  const [port] = (await freePorts(1)) as [number]
  const cell = ['--replicas', 1, '--users', 8, '--load-workers', 2, '--duration', 6]
  return ['--quick', ...cell, '--port', port, '--out', folder]
}

const replicaOf = ({ pid }: Bench) =>
  eventually('a replica', async () => {
    const pids = await descendants(pid)
    return pids.find(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dist/main.js'))
  })

/** Lets a process run for a small part of the time only, until it has ended. */
async function slowDown(pid: number): Promise<void> {
  try {
    for (;;) {
      process.kill(pid, 'SIGSTOP')
      await pause(STILL)
      process.kill(pid, 'SIGCONT')
      await pause(RUNNING)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

t.test('a run in which a replica was slowed down is a regression, and says where', async t => {
  const [before, after] = [`${t.testdir()}/before`, `${t.testdir()}/after`]
  const normal = bench(t, await sweep(before))
  t.equal(await normal.ended, 0, normal.said())

  const slowed = bench(t, await sweep(after))
  const replica = await replicaOf(slowed)
  await eventually('load', () => slowed.said().includes('results in'))
  await slowDown(replica)
  t.equal(await slowed.ended, 0, slowed.said())

  const compared = bench(t, ['compare', before, after])
  t.equal(await compared.ended, 1, compared.said())
  t.match(compared.said(), /\| custom \| 2 \| 1 \| 8 \|.*(RPS|P99)/)
  const back = bench(t, ['compare', after, before])
  t.equal(await back.ended, 0, 'what has become faster is no regression')
})
