import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { goldenBodies, readGolden } from '../../src/bench/load/bodies.js'
import { startLoad } from '../../src/bench/load/generator.js'
import { killTargets, startTarget, stopTarget } from '../../scripts/speed/processes.js'
import { median } from '../../scripts/speed/report.js'

/**
 * What the benchmark's load generator costs: its requests a second against a plain echo beside bare autocannon's on the
 * same target, with as many load workers and connections, in alternating rounds of one run. Exits 1 below the bar.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '3' },
    'load-workers': { type: 'string', default: '4' },
    connections: { type: 'string', default: '200' },
    port: { type: 'string', default: '18299' }
  }
})
const [rounds, seconds, loadWorkers, connections, port] = [
  Number(options.rounds),
  Number(options.seconds),
  Number(options['load-workers']),
  Number(options.connections),
  Number(options.port)
]
const WARM_UP_MS = 1000
const BAR = 0.95

const [body] = goldenBodies(await readGolden(), 1) as [string]
const url = `http://127.0.0.1:${port}/predict`

async function harness(): Promise<number> {
  const load = await startLoad({
    url,
    users: connections,
    loadWorkers,
    thinkMs: 0,
    bodies: [body],
    checkEvery: 50,
    seed: 1,
    timeoutMs: 10_000
  })
  try {
    await pause(WARM_UP_MS)
    const interval = await load.beginInterval()
    await pause(seconds * 1000)
    const { statuses, elapsedMs } = await interval.end()
    await load.drain()
    return (statuses[200]! / elapsedMs) * 1000
  } finally {
    await load.kill()
  }
}

/** As many processes of bare autocannon, each with its share of the connections. */
async function bare(): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const order = { url, connections: connections / loadWorkers, method: 'POST', headers, body }
  const children = Array.from({ length: loadWorkers }, () =>
    fork('experiments/0006-harness-cost/bare-autocannon.mjs', { execArgv: [] })
  )
  const ask = (message: object | string) =>
    Promise.all(
      children.map(async child => {
        const answer = once(child, 'message')
        child.send(message)
        return (await answer)[0] as unknown
      })
    )
  try {
    await ask(order)
    await pause(WARM_UP_MS)
    for (const child of children) child.send('begin')
    await pause(seconds * 1000)
    return ((await ask('end')) as number[]).reduce((sum, rate) => sum + rate, 0)
  } finally {
    for (const child of children) child.kill()
  }
}

try {
  const echo = await startTarget('echo', 'scripts/speed/peers/echo.mjs', port)
  const ratios: number[] = []
  process.stdout.write(
    '| round | first | load generator, req/s | bare autocannon, req/s | ratio |\n|---|---|---|---|---|\n'
  )
  for (let round = 1; round <= rounds; round++) {
    // They take turns in going first.
    const isFirst = round % 2 === 1
    let ours = isFirst ? await harness() : 0
    const theirs = await bare()
    if (!isFirst) ours = await harness()
    ratios.push(ours / theirs)
    const figures = [ours.toFixed(0), theirs.toFixed(0), (ours / theirs).toFixed(3)].join(' | ')
    process.stdout.write(`| ${round} | ${isFirst ? 'load generator' : 'autocannon'} | ${figures} |\n`)
  }
  process.stdout.write(`| median | | | | **${median(ratios).toFixed(3)}** |\n`)
  process.exitCode = median(ratios) >= BAR ? 0 : 1
  await stopTarget(echo)
} finally {
  killTargets()
}
