import { appendFileSync } from 'node:fs'
import { cpuSeconds, load, residentMb, SERVICE, startTarget, stopTarget, type Target } from './processes.js'
import { type Figure, median, range } from './report.js'

/** The service and what it is measured beside, each with the least that its name says. */
const SERVERS: [name: string, entry: string][] = [
  ['service', SERVICE],
  ['ring', 'scripts/speed/peers/ring.mjs'],
  ['echo', 'scripts/speed/peers/echo.mjs'],
  ['plain', 'scripts/speed/peers/plain-handler.mjs']
]
const FIRST_PORT = 18301

export interface PeersOptions {
  rounds: number
  seconds: number
  connections: readonly number[]
  /** gets a line of JSON for each sample */
  raw?: string | undefined
}

interface Sample {
  server: string
  connections: number
  round: number
  /** answers with status 200 a second, and the others of all rounds */
  good: number
  refused: number
  /** of the whole process, a request */
  cpuUs: number
  p50: number
  p99: number
  /** MiB right after the load */
  rss: number
}

async function sample(target: Target, connections: number, round: number, seconds: number): Promise<Sample> {
  const before = cpuSeconds(target)
  const { requests, errors, seconds: took, p50, p99 } = await load(target, connections, seconds, 'status')
  const cpuUs = ((cpuSeconds(target) - before) / requests) * 1e6
  const refused = errors.status
  const good = (requests - refused) / took
  return { server: target.name, connections, round, good, refused, cpuUs, p50, p99, rss: residentMb(target) }
}

/**
 * All servers right behind one another, round after round: the machine's speed wanders, a round's ratio does not. The first round
 * warms up and is not kept.
 */
async function measure({ rounds, seconds, connections, raw }: PeersOptions): Promise<Sample[]> {
  const targets: Target[] = []
  for (const [index, [name, entry]] of SERVERS.entries())
    targets.push(await startTarget(name, entry, FIRST_PORT + index))
  const samples: Sample[] = []
  for (let round = 0; round <= rounds; round++) {
    for (const count of connections) {
      for (const target of targets) {
        const one = await sample(target, count, round, seconds)
        if (round === 0) continue
        samples.push(one)
        if (raw !== undefined) appendFileSync(raw, `${JSON.stringify({ node: process.version, ...one })}\n`)
      }
    }
  }
  for (const target of targets) await stopTarget(target)
  return samples
}

/** The service beside the prototype of its ring, a Fastify echo and a plain handler, from one connection to thousands. */
export async function peers(options: PeersOptions): Promise<Figure[]> {
  const samples = await measure(options)
  process.stdout.write(`${peersTable(samples)}\n\n`)
  const { connections } = options
  return [
    ...connections.filter(count => count === 1).flatMap(() => oneConnection(samples)),
    ...connections.filter(count => count === 50 || count === 200).flatMap(count => besides(samples, count)),
    ...connections.filter(count => count === 200 || count === 1000).map(count => tail(samples, count)),
    ...connections.filter(count => count >= 1000).map(count => cliff(samples, count))
  ]
}

const of = (samples: readonly Sample[], server: string, connections: number) =>
  samples.filter(one => one.server === server && one.connections === connections)

/** The service's figure to another server's, round by round. */
function ratios(
  samples: readonly Sample[],
  other: string,
  connections: number,
  read: (one: Sample) => number
): number[] {
  const others = of(samples, other, connections)
  return of(samples, 'service', connections).map((one, index) => read(one) / read(others[index]!))
}

function besides(samples: readonly Sample[], connections: number): Figure[] {
  const bars = [
    { other: 'ring', called: 'the prototype of the ring', least: 1, most: 1 },
    { other: 'echo', called: 'a Fastify echo', least: 0.75, most: 2 }
  ]
  const middle = (server: string, read: (one: Sample) => number) => median(of(samples, server, connections).map(read))
  return bars.flatMap(({ other, called, least, most }) => {
    const good = ratios(samples, other, connections, one => one.good)
    const cpu = ratios(samples, other, connections, one => one.cpuUs)
    const [ours, theirs] = ['service', other].map(server => middle(server, one => one.good).toFixed(0))
    const [oursUs, theirsUs] = ['service', other].map(server => middle(server, one => one.cpuUs).toFixed(0))
    return [
      {
        what: `requests/s, ${connections} connections, to ${called}`,
        value: median(good),
        bar: { least },
        detail: `${ours} to ${theirs} a second; rounds ${range(good)}`
      },
      {
        what: `CPU a request, ${connections} connections, to ${called}`,
        value: median(cpu),
        bar: { most },
        detail: `${oursUs} to ${theirsUs} us; rounds ${range(cpu)}`
      }
    ]
  })
}

/** The median latency of one caller against a plain Fastify handler that awaits `session.run`. */
function oneConnection(samples: readonly Sample[]): Figure[] {
  const p50 = ratios(samples, 'plain', 1, one => one.p50)
  const cpu = ratios(samples, 'plain', 1, one => one.cpuUs)
  const middle = (server: string, read: (one: Sample) => number) => median(of(samples, server, 1).map(read))
  const [service, plain] = ['service', 'plain'].map(server => middle(server, one => one.p50).toFixed(3))
  const [serviceUs, plainUs] = ['service', 'plain'].map(server => middle(server, one => one.cpuUs).toFixed(0))
  return [
    {
      what: 'median latency, 1 connection, to a plain session.run handler',
      value: median(p50),
      bar: { most: 1.1 },
      detail: `${service} to ${plain} ms; rounds ${range(p50)}; CPU ${serviceUs} to ${plainUs} us, ${median(cpu).toFixed(2)} x`
    }
  ]
}

/** The tail: all but the worst round hold the bar. */
function tail(samples: readonly Sample[], connections: number): Figure {
  const own = of(samples, 'service', connections).map(({ p50, p99 }) => p99 / p50)
  const sorted = own.toSorted((a, b) => a - b)
  const middle = median(of(samples, 'service', connections).map(({ p50 }) => p50))
  return {
    what: `P99 to the median, ${connections} connections, all rounds but the worst`,
    value: sorted.at(-2) ?? sorted[0]!,
    bar: { most: connections === 200 ? 3 : 5 },
    detail: `median ${middle.toFixed(1)} ms; rounds ${range(own)}`
  }
}

/** Whether more connections cost answers. */
function cliff(samples: readonly Sample[], connections: number): Figure {
  const good = (count: number) => median(of(samples, 'service', count).map(one => one.good))
  const refused = of(samples, 'service', connections).reduce((sum, one) => sum + one.refused, 0)
  return {
    what: `good answers/s, ${connections} connections, to 200`,
    value: good(connections) / good(200),
    bar: { least: 0.8 },
    detail: `${good(connections).toFixed(0)} to ${good(200).toFixed(0)} a second; ${refused} refused`
  }
}

/** The medians, as a Markdown table. */
function peersTable(samples: readonly Sample[]): string {
  const keys = [...new Set(samples.map(({ connections }) => connections))]
  const rows = keys.flatMap(connections =>
    SERVERS.map(([server]) => {
      const own = of(samples, server, connections)
      const middle = (read: (one: Sample) => number, digits: number) => median(own.map(read)).toFixed(digits)
      const figures = [middle(one => one.good, 0), middle(one => one.cpuUs, 0), middle(one => one.p50, 2)]
      const refused = own.reduce((sum, one) => sum + one.refused, 0)
      const cells = [connections, server, ...figures, middle(one => one.p99, 1), refused, middle(one => one.rss, 0)]
      return `| ${cells.join(' | ')} |`
    })
  )
  const titles = [
    'connections',
    'server',
    'good answers/s',
    'CPU us a request',
    'P50 ms',
    'P99 ms',
    'refused',
    'RSS MiB'
  ]
  return [`| ${titles.join(' | ')} |`, `|${titles.map(() => '---').join('|')}|`, ...rows].join('\n')
}
