import { cpuSeconds, load, SERVICE, startTarget, stopTarget, type Target } from './processes.js'
import { type Figure, median, range } from './report.js'

const ECHO = 'scripts/speed/peers/echo.mjs'
const PLAIN = 'scripts/speed/peers/plain-handler.mjs'

interface Sample {
  rps: number
  cpuUs: number
  p50: number
}

async function sample(target: Target, connections: number, seconds: number): Promise<Sample> {
  const before = cpuSeconds(target)
  const result = await load(target, connections, seconds)
  const cpuUs = ((cpuSeconds(target) - before) / result.requests) * 1e6
  return { rps: result.requests / result.seconds, cpuUs, p50: result.p50 }
}

/** Rounds of all targets right behind one another: the machine's speed wanders, a round's ratio does not. */
async function rounds(targets: Target[], connections: number, options: { rounds: number; seconds: number }) {
  for (const target of targets) await load(target, connections, options.seconds)
  const samples: Sample[][] = []
  for (let round = 0; round < options.rounds; round++) {
    const one: Sample[] = []
    for (const target of targets) one.push(await sample(target, connections, options.seconds))
    samples.push(one)
  }
  return samples
}

/** Throughput and CPU a request against a Fastify echo of the same bodies. */
export async function throughput(options: { rounds: number; seconds: number }): Promise<Figure[]> {
  const targets = [await startTarget('echo', ECHO, 18301), await startTarget('service', SERVICE, 18302)]
  const figures: Figure[] = []
  for (const connections of [50, 200]) {
    const samples = await rounds(targets, connections, options)
    const ratios = samples.map(([echo, service]) => service!.rps / echo!.rps)
    const cpu = samples.map(([echo, service]) => service!.cpuUs / echo!.cpuUs)
    const [echo, service] = [0, 1].map(index => median(samples.map(one => one[index]!.rps)).toFixed(0))
    const [echoCpu, serviceCpu] = [0, 1].map(index => median(samples.map(one => one[index]!.cpuUs)).toFixed(0))
    figures.push({
      what: `requests/s, ${connections} connections, to a Fastify echo`,
      value: median(ratios),
      bar: { least: 0.9 },
      detail: `${service} to ${echo} a second; rounds ${range(ratios)}`
    })
    figures.push({
      what: `CPU a request, ${connections} connections, to a Fastify echo`,
      value: median(cpu),
      bar: { most: 1.75 },
      detail: `${serviceCpu} to ${echoCpu} us; rounds ${range(cpu)}`
    })
  }
  for (const target of targets) await stopTarget(target)
  return figures
}

/** The median latency of one caller against a plain Fastify handler that awaits `session.run`. */
export async function oneConnection(options: { rounds: number; seconds: number }): Promise<Figure[]> {
  const targets = [await startTarget('plain', PLAIN, 18303), await startTarget('service', SERVICE, 18304)]
  const samples = await rounds(targets, 1, options)
  const ratios = samples.map(([plain, service]) => service!.p50 / plain!.p50)
  const [plain, service] = [0, 1].map(index => median(samples.map(one => one[index]!.p50)).toFixed(3))
  for (const target of targets) await stopTarget(target)
  return [
    {
      what: 'median latency, 1 connection, to a plain session.run handler',
      value: median(ratios),
      bar: { most: 1.5 },
      detail: `${service} to ${plain} ms; rounds ${range(ratios)}`
    }
  ]
}
