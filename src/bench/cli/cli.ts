import os from 'node:os'
import { join } from 'node:path'
import { BenchError } from '../errors.js'
import { Flags } from './flags.js'
import type { SweepOptions } from './options.js'

/** What the command line asks for. */
export type Command =
  | { name: 'sweep'; options: SweepOptions }
  | { name: 'resume'; folder: string; uiPort: number | undefined }
  | { name: 'report'; folder: string }
  | { name: 'compare'; before: string; after: string }
  | { name: 'cross-check'; folder: string; port: number }
  | { name: 'slo'; options: SloOptions }
  | { name: 'ceiling'; options: CeilingOptions }
  | { name: 'help' }

/** Search for the highest Poisson rate whose P99 keeps a bound. */
export interface SloOptions {
  p99Ms: number
  replicas: number[]
  workers: number
  /** of each trial */
  durationMs: number
  seed: number
  payload: string | undefined
  steps: number
  port: number
  balance: string | undefined
}

export interface CeilingOptions {
  connections: number
  rounds: number
  durationMs: number
}

const DAY_S = 86_400
const UI_PORT = 8089
const PORT = 8023

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const SHARED = {
  replicas: text,
  workers: text,
  duration: text,
  seed: text,
  payload: text,
  steps: text,
  port: text,
  balance: text
}
const SWEEP = {
  ...SHARED,
  ...{ preset: text, users: text, repeats: text, think: text, out: text, resume: text, quick: flag, target: text },
  ...{ 'replica-metrics': text, generator: text, ui: flag, 'ui-port': text, help: flag }
}

/** What `help` prints. */
export const HELP = `npm run bench -- [sweep] [flags]      measures the matrix behind HAProxy and writes the report
  --preset report|matrix|standalone   what is measured; report is the matrix and the standalone table
  --replicas 1,2,4,8 --users 200,400,800 --workers 4,8   the matrix; each number of load workers is a phase
  --duration 120      seconds that a cell is measured, after its warm-up
  --repeats 1         times that each cell is measured
  --think 0           ms a user waits between an answer and the next request
  --steps 1           inference_length of every request
  --payload FILE      a .json or .jsonl file of request bodies, in the place of real windows
  --seed 1            decides the order of cells and bodies
  --quick             the whole matrix in under 10 minutes: enough to look, not to quote
  --out DIR           folder of the results
  --resume DIR        goes on with a sweep that was interrupted
  --target URL        measures something that runs already, in the place of replicas of our own
  --replica-metrics URL,URL           where the target's own counters are
  --port 8023         HAProxy's port
  --balance WORDS     HAProxy's balance; leastconn, or turns of 16 ms where there are more replicas than cores
  --generator autocannon|locust       who makes the load
  --ui --ui-port 8089                 a live page; with Locust its own
npm run bench -- report DIR           draws the report of a folder of results again
npm run bench -- compare A B          differences of two folders; exit code 1 on a regression
npm run bench -- cross-check DIR [--port 8023]
                                      three cells of DIR again with Locust, beside DIR's own in its report
npm run bench -- slo --p99 50 [--replicas 1,2,4,8] [--workers 4] [--duration 10] [--steps 1] [--payload FILE] [--seed 1]
                                      highest Poisson rate whose P99 is within the bound
npm run bench -- ceiling [--connections 50] [--rounds 6] [--duration 4]
                                      bare node:http, Fastify and this service side by side`

/**
 * Reads a command line, without `node` and the script's name.
 * @throws BenchError `bad_flag`, with the flag's name
 */
export function parseCommand(args: string[], now: Date): Command {
  const word = args[0]?.startsWith('-') === false ? args[0] : 'sweep'
  const rest = args[0] === word ? args.slice(1) : args
  switch (word) {
    case 'sweep':
      return sweepCommand(rest, now)
    case 'report': {
      const [folder] = words(new Flags(rest, {}), ['the folder of results to report'])
      return { name: 'report', folder: folder! }
    }
    case 'compare': {
      const [before, after] = words(new Flags(rest, {}), ['the first folder', 'the second folder'])
      return { name: 'compare', before: before!, after: after! }
    }
    case 'cross-check':
      return crossCheckCommand(rest)
    case 'slo':
      return { name: 'slo', options: sloOptions(new Flags(rest, { ...SHARED, p99: text })) }
    case 'ceiling':
      return { name: 'ceiling', options: ceilingOptions(rest) }
    case 'help':
      return { name: 'help' }
    default:
      throw new BenchError('bad_flag', `there is no command "${word}": see npm run bench -- help`)
  }
}

function crossCheckCommand(args: string[]): Command {
  const flags = new Flags(args, { port: text })
  const [folder] = words(flags, ['the folder of results to check'])
  return { name: 'cross-check', folder: folder!, port: flags.integer('port', 1, 65_535) ?? PORT }
}

function sweepCommand(args: string[], now: Date): Command {
  const flags = new Flags(args, SWEEP)
  words(flags, [])
  if (flags.isSet('help')) return { name: 'help' }
  const uiPort = flags.isSet('ui') ? (flags.integer('ui-port', 1, 65_535) ?? UI_PORT) : undefined
  const folder = flags.text('resume')
  if (folder === undefined) return { name: 'sweep', options: sweepOptions(flags, uiPort, now) }
  const other = Object.keys(SWEEP).find(name => flags.given(name) && !['resume', 'ui', 'ui-port'].includes(name))
  if (other) throw new BenchError('bad_flag', `--${other} cannot go with --resume, which goes on as it was begun`)
  return { name: 'resume', folder, uiPort }
}

function sweepOptions(flags: Flags, uiPort: number | undefined, now: Date): SweepOptions {
  const quick = flags.isSet('quick')
  const options: SweepOptions = {
    ...sharedOptions(flags),
    generator: flags.oneOf('generator', ['autocannon', 'locust']) ?? 'autocannon',
    preset: flags.oneOf('preset', ['report', 'matrix', 'standalone']) ?? defaultPreset(flags),
    replicas: flags.integers('replicas', 1, 8) ?? defaultReplicas(flags),
    users: flags.integers('users', 1, 10_000) ?? [200, 400, 800],
    workers: flags.integers('workers', 1, 64) ?? [4, 8],
    durationMs: seconds(flags),
    repeats: flags.integer('repeats', 1, 100) ?? 1,
    thinkMs: flags.integer('think', 0, 600_000) ?? 0,
    out: flags.text('out') ?? defaultOut(now),
    quick,
    warmUp: quick ? { windowMs: 1500, most: 6 } : { windowMs: 3000, most: 10 },
    target: flags.url('target'),
    replicaMetrics: flags.urls('replica-metrics'),
    uiPort
  }
  refuseContradictions(flags, options)
  return options
}

/** A selection by flags leaves the standalone table away, which they do not select. */
function defaultPreset(flags: Flags): SweepOptions['preset'] {
  return ['replicas', 'users', 'workers', 'target'].some(name => flags.given(name)) ? 'matrix' : 'report'
}

/** Of a target it is known how many there are from the addresses of their counters. */
function defaultReplicas(flags: Flags): number[] {
  return flags.given('target') ? [flags.urls('replica-metrics').length || 1] : [1, 2, 4, 8]
}

function refuseContradictions(
  flags: Flags,
  { users, workers, target, replicas, replicaMetrics, preset }: SweepOptions
): void {
  const refuseIf = (condition: boolean, message: string): void => {
    if (condition) throw new BenchError('bad_flag', message)
  }
  const [fewest, most] = [Math.min(...users), Math.max(...workers)]
  refuseIf(fewest < most, `--users ${fewest} is less than --workers ${most}: a load worker would have no user`)
  refuseIf(flags.given('ui-port') && !flags.isSet('ui'), '--ui-port needs --ui')
  for (const name of ['users', 'workers', 'replicas']) {
    refuseIf(preset === 'standalone' && flags.given(name), `--${name} cannot go with --preset standalone`)
  }
  if (target === undefined) return refuseIf(flags.given('replica-metrics'), '--replica-metrics needs --target')
  refuseIf(preset !== 'matrix', `--preset ${preset} cannot go with --target, whose replicas are not ours to change`)
  for (const name of ['port', 'balance']) refuseIf(flags.given(name), `--${name} cannot go with --target`)
  refuseIf(replicas.length > 1, '--replicas must be one number with --target')
  const addresses = replicaMetrics.length
  refuseIf(
    addresses > 0 && replicas[0] !== addresses,
    `--replicas ${replicas[0]} differs from the ${addresses} addresses of --replica-metrics`
  )
}

function sloOptions(flags: Flags): SloOptions {
  words(flags, [])
  const p99Ms = flags.integer('p99', 1, 60_000)
  if (p99Ms === undefined) throw new BenchError('bad_flag', '--p99 is missing: the bound in ms')
  return {
    ...sharedOptions(flags),
    p99Ms,
    replicas: flags.integers('replicas', 1, 8) ?? [1, 2, 4, 8],
    workers: flags.integer('workers', 1, 64) ?? 4,
    durationMs: seconds(flags) ?? 10_000
  }
}

function ceilingOptions(args: string[]): CeilingOptions {
  const flags = new Flags(args, { connections: text, rounds: text, duration: text })
  words(flags, [])
  return {
    connections: flags.integer('connections', 1, 10_000) ?? 50,
    rounds: flags.integer('rounds', 1, 100) ?? 6,
    durationMs: seconds(flags) ?? 4000
  }
}

function sharedOptions(flags: Flags) {
  return {
    seed: flags.integer('seed', 0, 2 ** 31 - 1) ?? 1,
    payload: flags.text('payload'),
    steps: flags.integer('steps', 1, 1000) ?? 1,
    port: flags.integer('port', 1, 65_535) ?? PORT,
    balance: flags.text('balance')
  }
}

function seconds(flags: Flags): number | undefined {
  const duration = flags.integer('duration', 1, DAY_S)
  return duration === undefined ? undefined : duration * 1000
}

/** Exactly the words that a command needs. */
function words(flags: Flags, needed: string[]): string[] {
  const missing = needed[flags.words.length]
  if (missing) throw new BenchError('bad_flag', `${missing} is missing`)
  const surplus = flags.words[needed.length]
  if (surplus !== undefined) throw new BenchError('bad_flag', `"${surplus}" is one word too many`)
  return flags.words
}

/** By date and machine. */
function defaultOut(now: Date): string {
  const cpu = (os.cpus()[0]?.model ?? 'unknown').replace(/\(.*?\)|@.*$|\b(CPU|Processor)\b/g, ' ')
  const machine = `${os.cpus().length} x ${cpu}`.toLowerCase().match(/[a-z0-9.]+/g)!
  return join('results', [now.toISOString().slice(0, 16).replace(':', ''), ...machine].join('-'))
}
