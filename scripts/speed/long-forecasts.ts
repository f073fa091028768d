import { Agent } from 'node:http'
import { cpuSeconds, post, SERVICE, startTarget, stopTarget, type Target } from './processes.js'
import { type Figure, median, percentile, range } from './report.js'

/** `callers` callers in a closed loop until each has made its share of `count` requests; latencies in ms. */
async function closedLoop(
  target: Target,
  bodies: (Buffer | string)[],
  callers: number,
  count: number
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers })
  const latencies: number[] = []
  const caller = async () => {
    while (latencies.length < count)
      latencies.push(await post(target, agent, bodies[latencies.length % bodies.length]!))
  }
  await Promise.all(Array.from({ length: callers }, caller))
  agent.destroy()
  return latencies
}

function withSteps(body: Buffer, steps: number): string {
  return JSON.stringify({ ...(JSON.parse(String(body)) as object), inference_length: steps })
}

/** CPU of one 30-step forecast against 30 single rows, both from one caller. */
async function cpuOfSteps(target: Target, bodies: Buffer[], rounds: number): Promise<Figure> {
  const long = bodies.map(body => withSteps(body, 30))
  const cost = async (load: (Buffer | string)[], count: number) => {
    const before = cpuSeconds(target)
    await closedLoop(target, load, 1, count)
    return cpuSeconds(target) - before
  }
  await cost(bodies, 1500)
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) ratios.push((await cost(long, 100)) / (await cost(bodies, 3000)))
  const detail = `100 forecasts of 30 steps to 3,000 of one; rounds ${range(ratios)}`
  return { what: 'CPU of a 30-step forecast, to 30 single rows', value: median(ratios), bar: { most: 1.3 }, detail }
}

/** P99 of 50 single-step callers beside one caller of 30 steps, against theirs alone. */
async function fairness(target: Target, bodies: Buffer[], rounds: number): Promise<Figure> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const long = withSteps(bodies[0]!, 30)
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = percentile(await closedLoop(target, bodies, 50, 5000), 0.99)
    const over = new AbortController()
    const longCaller = (async () => {
      while (!over.signal.aborted) await post(target, agent, long)
    })()
    const beside = percentile(await closedLoop(target, bodies, 50, 5000), 0.99)
    over.abort()
    await longCaller
    ratios.push(beside / alone)
  }
  agent.destroy()
  const detail = `5,000 requests each; rounds ${range(ratios)}`
  return { what: 'P99 of 50 callers beside a 30-step one, to alone', value: median(ratios), bar: { most: 2 }, detail }
}

export async function longForecasts(bodies: Buffer[], rounds: number): Promise<Figure[]> {
  const target = await startTarget('service', SERVICE, 18305)
  const figures = [await cpuOfSteps(target, bodies, rounds), await fairness(target, bodies, rounds)]
  await stopTarget(target)
  return figures
}
