import os from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { BenchError } from '../errors.js'
import { addSharedFlags, flag, given } from './flags.js'
import type { SharedOptions, SweepOptions } from '../options.js'
import { integer, integers, seconds, url, urls, word } from './values.js'
import { usableCores } from '../../host/cores.js'

const UI_PORT = 8089
const GENERATORS = ['autocannon', 'locust'] as const
const PRESETS = ['report', 'matrix', 'standalone'] as const

interface SweepFlags extends SharedOptions {
  preset?: SweepOptions['preset']
  replicas?: number[]
  users: number[]
  loadWorkers: number[]
  duration?: number
  repeats: number
  think: number
  quick?: true
  out?: string
  resume?: string
  target?: string
  replicaMetrics?: string[]
  generator: SweepOptions['generator']
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
    .addOption(flag('--replicas <n,n>', 'replicas of the matrix (default: 1,2,4,8)', integers(1, 8)))
    .addOption(numbers('users', 'users of the matrix', 10_000, [200, 400, 800]))
    .addOption(numbers('workers, --load-workers', 'load workers; each number of them is a phase', 64, [4, 8]))
    .addOption(flag('--duration <s>', 'seconds that a cell is measured, after its warm-up (default: 120)', seconds))
    .addOption(flag('--repeats <n>', 'times that each cell is measured', integer(1, 100), [1]))
    .addOption(flag('--think <ms>', 'ms a user waits between an answer and the next request', integer(0, 600_000), [0]))
    .option('--quick', 'the whole matrix in under 10 minutes: enough to look, not to quote')
    .addOption(flag('--out <dir>', 'folder of the results (default: by date and machine, in results/)', word))
    .addOption(flag('--resume <dir>', 'goes on with a sweep that was interrupted', word))
    .addOption(flag('--target <url>', 'measures something that runs already, in the place of replicas of our own', url))
    .addOption(flag('--replica-metrics <url,url>', "where the target's own counters are", urls))
    .addOption(new Option('--generator <name>', 'who makes the load').choices(GENERATORS).default('autocannon'))
    .option('--ui', 'a live page; with Locust its own')
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
  const { duration, think, resume: _resume, ui: _ui, ...flags } = command.opts<SweepFlags>()
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
  return ['replicas', 'users', 'loadWorkers', 'target'].some(name => given(command, name)) ? 'matrix' : 'report'
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

/** By date and machine. */
function defaultOut(now: Date): string {
  const cpu = (os.cpus()[0]?.model ?? 'unknown').replace(/\(.*?\)|@.*$|\b(CPU|Processor)\b/g, ' ')
  const machine = `${usableCores()} x ${cpu}`.toLowerCase().match(/[a-z0-9.]+/g)!
  return join('results', [now.toISOString().slice(0, 16).replace(':', ''), ...machine].join('-'))
}
