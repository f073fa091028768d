import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadCases } from '../../src/bench/load/cases.js'
import { startLoad } from '../../src/bench/load/generator.js'
import { startStack } from '../../src/bench/stack/stack.js'
import { askModel } from '../../src/bench/stack/model.js'
import { readProcess } from '../../src/bench/watch/proc.js'
import { median, range } from '../../scripts/speed/report.js'

/**
 * What it would cost the load workers to check every answer, in the place of one in 50: CPU of the load workers an answer, with both in
 * turns against one replica.
 *   tsx experiments/0006-harness-cost/check-every.ts --rounds 6 --seconds 3
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    users: { type: 'string', default: '50' },
    port: { type: 'string', default: '18170' }
  }
})
const SAMPLED = 50

const cpuSeconds = (pid: number) => readProcess(pid).cpuSeconds

const stack = await startStack({ replicas: 1, port: Number(options.port), haproxyEnv: {} })
try {
  await stack.scale(1)
  const { url } = stack.replicas[0]!
  const cases = await loadCases({ url, steps: 1, served: await askModel(url) })
  const microseconds = async (checkEvery: number) => {
    const load = await startLoad({
      url: `${url}/predict`,
      users: Number(options.users),
      loadWorkers: 1,
      thinkMs: 0,
      bodies: cases.map(({ body }) => body),
      expected: cases,
      seed: 1,
      checkEvery,
      timeoutMs: 10_000
    })
    try {
      await pause(1000)
      const before = load.pids.map(cpuSeconds)
      const running = await load.beginInterval()
      await pause(Number(options.seconds) * 1000)
      const { completed } = await running.end()
      const used = load.pids.reduce((sum, pid, at) => sum + cpuSeconds(pid) - before[at]!, 0)
      await load.drain()
      return (used / completed) * 1e6
    } finally {
      await load.kill()
    }
  }
  const ratios: number[] = []
  const each: number[][] = [[], []]
  for (let round = 0; round < Number(options.rounds); round++) {
    const [all, some] = [await microseconds(1), await microseconds(SAMPLED)]
    each[0]!.push(all)
    each[1]!.push(some)
    ratios.push(all / some)
  }
  const [all, some] = each.map(values => median(values).toFixed(1))
  process.stdout.write(
    `CPU of the load worker an answer: ${all} us with every answer checked, ${some} us with one in ${SAMPLED}\n`
  )
  process.stdout.write(`ratio: ${median(ratios).toFixed(3)} (${range(ratios, 3)})\n`)
} finally {
  await stack.stop()
}
