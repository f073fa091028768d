import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LEAST_REQUESTS, TIME_SLOTS } from '../../src/bench/stack/balance.js'
import { startStack } from '../../src/bench/stack/stack.js'
import { realBodies } from '../../scripts/speed/bodies.js'
import { median } from '../../scripts/speed/report.js'
import { measure, type Sample } from './measure.js'

/**
 * The table of docs/adr/0007-balance.md: each policy of HAProxy in turn, round after round, at 1, 2 and 8 replicas and
 * 200 and 800 connections, with the direct throughput of one replica beside it. Needs wrk and haproxy.
 *   tsx experiments/0007-balance/main.ts --policy leastconn/64 --policy first/128 --rounds 3
 * A policy is the words of `balance` and the requests that a replica may have at once, those of the sweep where they are left
 * out. Prints medians and, in brackets, the range over all rounds; every sample goes to `--raw FILE` as a line of JSON.
 */
const { values: options } = parseArgs({
  options: {
    policy: { type: 'string', multiple: true, default: [LEAST_REQUESTS, TIME_SLOTS] },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    port: { type: 'string', default: '18120' },
    raw: { type: 'string' }
  }
})
const SCALES = [1, 2, 8]
const USERS = [200, 800]
const MAX = SCALES.at(-1)!

type Samples = Map<string, Sample[]>

const folder = mkdtempSync(join(tmpdir(), 'balance-'))
process.env.SPEED_BODIES = join(folder, 'bodies.jsonl')
writeFileSync(process.env.SPEED_BODIES, realBodies().join('\n'))

function keep(samples: Samples, key: string, sample: Sample): void {
  samples.set(key, [...(samples.get(key) ?? []), sample])
  process.stderr.write(`${key}: ${sample.rps.toFixed(0)}/s\n`)
  if (options.raw) appendFileSync(options.raw, `${JSON.stringify({ key, ...sample })}\n`)
}

/** One round of one policy: a stack of its own, all scales, and one replica without HAProxy. */
async function round(policy: string, samples: Samples): Promise<void> {
  const [balance, maxconn] = policy.split('/') as [string, string | undefined]
  const haproxyEnv = { LB_BALANCE: balance, ...(maxconn !== undefined && { LB_REPLICA_MAXCONN: maxconn }) }
  const stack = await startStack({ replicas: MAX, port: Number(options.port), haproxyEnv })
  try {
    const seconds = Number(options.seconds)
    const [first] = stack.replicas
    for (const replica of stack.replicas) await measure(replica.url, [replica], 50, 1)
    keep(samples, `${policy} 0 200`, await measure(first!.url, [first!], 200, seconds))
    for (const users of USERS) {
      for (const scale of SCALES) {
        const active = await stack.scale(scale)
        keep(samples, `${policy} ${scale} ${users}`, await measure(stack.url, active, users, seconds))
      }
    }
  } finally {
    await stack.stop()
  }
}

interface Figure {
  of(sample: Sample): number
  /** the cell of the same round by which it is divided */
  to?: string
  digits: number
}

/** Median and range of a figure over the rounds. */
function cell(samples: Samples, key: string, { of, to, digits }: Figure): string {
  const base = to === undefined ? undefined : samples.get(to)!
  const values = samples.get(key)!.map((sample, index) => of(sample) / (base ? of(base[index]!) : 1))
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`
}

/** The cells of a policy at a number of users. */
function row(samples: Samples, policy: string, users: number): string[] {
  const key = (scale: number) => `${policy} ${scale} ${users}`
  const figure = (scale: number, name: keyof Sample, digits: number) =>
    cell(samples, key(scale), { of: sample => sample[name], digits })
  const ratio = (scale: number, to: string) => cell(samples, key(scale), { of: ({ rps }) => rps, to, digits: 2 })
  const failures = SCALES.flatMap(scale => samples.get(key(scale))!.map(sample => sample.failures))
  return [
    policy,
    String(users),
    users === 200 ? ratio(1, key(0)) : '',
    ratio(8, key(2)),
    ...SCALES.map(scale => figure(scale, 'batchRows', 1)),
    ...[2, 8].map(scale => figure(scale, 'p99', 0)),
    figure(8, 'busy', 0),
    figure(8, 'cpuUs', 0),
    `${(100 * Math.max(...failures)).toFixed(2)} %`
  ]
}

function table(samples: Samples): string {
  const lines = options.policy.flatMap(policy => USERS.map(users => `| ${row(samples, policy, users).join(' | ')} |`))
  const head = [
    ...['policy / maxconn', 'users', '1 to direct', '8 to 2', 'rows a batch: 1', '2', '8'],
    ...['P99 ms: 2', '8', 'busy of 8', 'replica CPU us, 8', 'most failures']
  ]
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines].join('\n')
}

const samples: Samples = new Map()
try {
  for (let one = 0; one < Number(options.rounds); one++) {
    for (const policy of options.policy) await round(policy, samples)
  }
} finally {
  rmSync(folder, { recursive: true })
}
process.stdout.write(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}, `)
process.stdout.write(`${options.rounds} rounds of ${options.seconds} s\n\n${table(samples)}\n`)
