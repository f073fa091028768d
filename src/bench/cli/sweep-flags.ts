import os from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { BenchError } from '../errors.js'
import { addSharedFlags, flag, given, mergeLoadWorkers, SAME_AS_LOAD_WORKERS } from './flags.js'
import type { SharedOptions, SweepOptions } from '../options.js'
import { integer, integers, seconds, url, urls, word } from './values.js'
import { usableCores } from '../../host/cores.js'

const UI_PORT = 8089
const GENERATORS = ['autocannon', 'locust'] as const
const PRESETS = ['report', 'matrix', 'standalone'] as const
const PROTOCOLS = ['predict', 'batch', 'v2-json', 'v2-binary'] as const satisfies SweepOptions['protocol'][]
const MOST_WINDOWS = 4096

interface SweepFlags extends SharedOptions {
  preset?: SweepOptions['preset']
  replicas?: number[]
  users: number[]
  loadWorkers: number[]
  workers?: number[]
  duration?: number
  repeats: number
  think: number
  quick?: true
  out?: string
  resume?: string
  target?: string
  replicaMetrics?: string[]
  generator: SweepOptions['generator']
  protocol?: SweepOptions['protocol']
  windows: number
  ui?: true
  uiPort?: number
}

/** Adds the flags of a sweep. */
export function addSweepFlags(command: Command): Command {
  const numbers = (name: string, description: string, highest: number, fallback: number[]) =>
    flag(`--${name} <n,n>`, description, integers(1, highest), [fallback, fallback.join()])
  command
    .addOption(
      new Option('--preset <name>', 'what is measured; report is the matrix and the standalone table').choices(PRESETS)
    )
    .addOption(flag('--replicas <n,n>', 'numbers of replicas in the matrix (default: 1,2,4,8)', integers(1, 8)))
    .addOption(numbers('users', 'numbers of users in the matrix', 10_000, [200, 400, 800]))
    .addOption(
      numbers('load-workers', 'numbers of load workers (processes that send requests), a phase each', 64, [4, 8])
    )
    .addOption(flag('--workers <n,n>', SAME_AS_LOAD_WORKERS, integers(1, 64)))
    .addOption(flag('--duration <s>', 'seconds of the measured interval, after the warm-up (default: 120)', seconds))
    .addOption(
      new Option(
        '--protocol <name>',
        'way in to the service (default: predict, or batch with several windows)'
      ).choices(PROTOCOLS)
    )
    .addOption(flag('--windows <n>', 'windows in each call', integer(1, MOST_WINDOWS), [1]))
    .addOption(flag('--repeats <n>', 'times that each cell is measured', integer(1, 100), [1]))
    .addOption(
      flag('--think <ms>', 'ms that a user waits between an answer and the next request', integer(0, 600_000), [0])
    )
    .option('--quick', 'the whole matrix in under 10 minutes: enough to look, not to quote')
    .addOption(flag('--out <dir>', 'folder of the results (default: by date and machine, in results/)', word))
    .addOption(flag('--resume <dir>', 'continues an interrupted sweep', word))
    .addOption(flag('--target <url>', 'measures a service that runs already, and starts no replicas', url))
    .addOption(flag('--replica-metrics <url,url>', "addresses of the target's /metrics, one for each replica", urls))
    .addOption(
      new Option('--generator <name>', 'program that sends the load').choices(GENERATORS).default('autocannon')
    )
    .option('--ui', "shows a live page; with Locust, Locust's own")
    .addOption(flag('--ui-port <n>', `port of the live page (default: ${UI_PORT})`, integer(1, 65_535)))
  return addSharedFlags(command)
}

/** What a sweep's flags ask for: a new one, or one that goes on. */
export type SweepOrder =
  { name: 'sweep'; options: SweepOptions } | { name: 'resume'; folder: string; uiPort: number | undefined }

/**
 * Reads the flags of a command that was parsed.
 * @throws BenchError `bad_flag` for flags that contradict each other
 */
export function readSweep(command: Command, now: Date): SweepOrder {
  const flags = command.opts<SweepFlags>()
  const uiPort = flags.ui ? (flags.uiPort ?? UI_PORT) : undefined
  if (flags.resume === undefined) return { name: 'sweep', options: sweepOptions(command, uiPort, now) }
  const other = command.options
    .filter(option => given(command, option.attributeName()))
    .find(option => !['--resume', '--ui', '--ui-port'].includes(option.long!))
  refuseIf(other !== undefined, `${other?.long} cannot go with --resume, which goes on as it was begun`)
  return { name: 'resume', folder: flags.resume, uiPort }
}

function sweepOptions(command: Command, uiPort: number | undefined, now: Date): SweepOptions {
  mergeLoadWorkers(command)
  const { duration, think, workers: _workers, resume: _resume, ui: _ui, ...flags } = command.opts<SweepFlags>()
  const quick = flags.quick ?? false
  const options: SweepOptions = {
    ...flags,
    payload: flags.payload,
    balance: flags.balance,
    target: flags.target,
    preset: flags.preset ?? defaultPreset(command),
    replicas: flags.replicas ?? defaultReplicas(flags),
    durationMs: duration,
    thinkMs: think,
    protocol: flags.protocol ?? (flags.windows > 1 ? 'batch' : 'predict'),
    out: flags.out ?? defaultOut(now),
    quick,
    warmUp: quick ? { intervalMs: 1500, most: 6 } : { intervalMs: 3000, most: 10 },
    replicaMetrics: flags.replicaMetrics ?? [],
    uiPort
  }
  refuseContradictions(command, options)
  return options
}

/** A selection by flags leaves the standalone table away, which they do not select. */
function defaultPreset(command: Command): SweepOptions['preset'] {
  return ['replicas', 'users', 'loadWorkers', 'target', 'protocol', 'windows'].some(name => given(command, name))
    ? 'matrix'
    : 'report'
}

/** Of a target it is known how many there are from the addresses of their counters. */
function defaultReplicas({ target, replicaMetrics }: Pick<SweepFlags, 'target' | 'replicaMetrics'>): number[] {
  return target === undefined ? [1, 2, 4, 8] : [replicaMetrics?.length || 1]
}

function refuseIf(condition: boolean, message: string): void {
  if (condition) throw new BenchError('bad_flag', message)
}

function refuseContradictions(command: Command, options: SweepOptions): void {
  const { users, loadWorkers, target, replicas, replicaMetrics, preset } = options
  const [fewest, most] = [Math.min(...users), Math.max(...loadWorkers)]
  refuseIf(fewest < most, `--users ${fewest} is less than --load-workers ${most}: a load worker would have no user`)
  refuseIf(given(command, 'uiPort') && options.uiPort === undefined, '--ui-port needs --ui')
  for (const [name, written] of Object.entries({ users: 'users', loadWorkers: 'load-workers', replicas: 'replicas' })) {
    refuseIf(preset === 'standalone' && given(command, name), `--${written} cannot go with --preset standalone`)
  }
  refuseUnfitCalls(options)
  if (target === undefined) return refuseIf(given(command, 'replicaMetrics'), '--replica-metrics needs --target')
  refuseIf(preset !== 'matrix', `--preset ${preset} cannot go with --target, whose replicas are not ours to change`)
  for (const name of ['port', 'balance']) refuseIf(given(command, name), `--${name} cannot go with --target`)
  refuseIf(replicas.length > 1, '--replicas must be one number with --target')
  const addresses = replicaMetrics.length
  refuseIf(
    addresses > 0 && replicas[0] !== addresses,
    `--replicas ${replicas[0]} differs from the ${addresses} addresses of --replica-metrics`
  )
}

function refuseUnfitCalls({ protocol, windows, generator, preset }: SweepOptions): void {
  const refuse = (condition: boolean, flag: string, why: string): void =>
    refuseIf(condition, `${flag} cannot go with --protocol ${protocol}, ${why}`)
  if (protocol === 'predict') return refuse(windows > 1, `--windows ${windows}`, 'which takes one window a call')
  refuse(generator === 'locust', '--generator locust', 'which Locust does not send')
  refuse(preset !== 'matrix', `--preset ${preset}`, "for the report's tables have one window a request")
}

/** By date and machine. */
function defaultOut(now: Date): string {
  const cpu = (os.cpus()[0]?.model ?? 'unknown').replace(/\(.*?\)|@.*$|\b(CPU|Processor)\b/g, ' ')
  const machine = `${usableCores()} x ${cpu}`.toLowerCase().match(/[a-z0-9.]+/g)!
  return join('results', [now.toISOString().slice(0, 16).replace(':', ''), ...machine].join('-'))
}
