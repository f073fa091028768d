import { Command as Program, CommanderError } from 'commander'
import { BenchError } from '../errors.js'
import type { SloOptions } from '../options.js'
import { addSharedFlags, flag, mergeLoadWorkers, portFlag, SAME_AS_LOAD_WORKERS } from './flags.js'
import { addSweepFlags, readSweep, type SweepOrder } from './sweep-flags.js'
import { integer, integers, seconds } from './values.js'

/** What the command line asks for. */
export type Command =
  | SweepOrder
  | { name: 'report'; folder: string }
  | { name: 'compare'; before: string; after: string }
  | { name: 'cross-check'; folder: string; port: number }
  | { name: 'slo'; options: SloOptions }
  | { name: 'help'; text: string }

/** How the benchmark is called, in every text that shows a command line. */
export const CALL = 'npm run bench --'

/**
 * Reads a command line, without `node` and the script's name.
 * @throws BenchError `bad_flag`: one line that names the flag or word, and the one that may have been meant
 */
export function parseCommand(args: string[], now: Date): Command {
  let help = ''
  let command: Command | undefined
  const program = benchProgram(now, found => (command = found))
  program.configureOutput({ writeOut: text => (help += text), writeErr: () => undefined })
  for (const one of program.commands) one.copyInheritedSettings(program)
  try {
    program.parse(withCommand(args), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { name: 'help', text: help }
    // Help was asked for a command that there is not: commander has no message for that.
    const message = error.code === 'commander.help' ? `unknown command '${args[1]}'` : error.message
    throw new BenchError('bad_flag', oneLine(message), { cause: error })
  }
  return command!
}

/** The names of all flags, without `--`. */
export function flagNames(): string[] {
  const commands = benchProgram(new Date(0), () => undefined).commands
  return [...new Set(commands.flatMap(({ options }) => options.map(({ long }) => long!.slice(2))))]
}

/** Flags without a command are those of a sweep. */
function withCommand(args: string[]): string[] {
  const [first] = args
  const isSweep = first === undefined || (first.startsWith('-') && first !== '--help' && first !== '-h')
  return isSweep ? ['sweep', ...args] : args
}

function benchProgram(now: Date, found: (command: Command) => void): Program {
  const program = new Program(CALL)
    .description(
      'Measures the service behind HAProxy and writes the report. Flags without a command are those of sweep.'
    )
    .exitOverride()
    .helpCommand('help [command]', 'shows the flags of a command')
  addSweepFlags(
    program
      .command('sweep')
      .description('measures replicas, users and load workers in every combination, and writes the report')
  ).action((_flags, command: Program) => found(readSweep(command, now)))
  program
    .command('report')
    .description('writes the report of a folder of results again')
    .argument('<dir>', 'folder of results')
    .action((folder: string) => found({ name: 'report', folder }))
  program
    .command('compare')
    .description('compares two folders of results; exit code 1 on a regression')
    .argument('<before>', 'the first folder')
    .argument('<after>', 'the second folder')
    .action((before: string, after: string) => found({ name: 'compare', before, after }))
  program
    .command('cross-check')
    .description('measures three cells of a folder again with Locust, and reports both generators')
    .argument('<dir>', 'folder of results')
    .addOption(portFlag())
    .action((folder: string, { port }: { port: number }) => found({ name: 'cross-check', folder, port }))
  addSlo(program, found)
  const sweep = program.commands[0]!
  return program.addHelpText('after', () => `\n${sweep.helpInformation()}`)
}

type SloFlags = Omit<SloOptions, 'p99Ms' | 'durationMs'> & { p99?: number; duration: number; workers?: number }

function addSlo(program: Program, found: (command: Command) => void): void {
  const command = program
    .command('slo')
    .description('finds the highest rate of requests whose P99 keeps within a bound')
    .addOption(flag('--p99 <ms>', 'the bound in ms (required)', integer(1, 60_000)))
    .addOption(
      flag('--replicas <n,n>', 'numbers of replicas, a search for each', integers(1, 8), [[1, 2, 4, 8], '1,2,4,8'])
    )
    .addOption(flag('--load-workers <n>', 'processes that send requests', integer(1, 64), [4]))
    .addOption(flag('--workers <n>', SAME_AS_LOAD_WORKERS, integer(1, 64)))
    .addOption(flag('--duration <s>', 'seconds of each trial', seconds, [10_000, '10']))
  addSharedFlags(command).action(() => {
    mergeLoadWorkers(command)
    const { p99, duration, workers: _workers, ...flags } = command.opts<SloFlags>()
    // Not by commander's own check, which comes before that of the flags' names and hides a --p98.
    if (p99 === undefined) throw new BenchError('bad_flag', '--p99 is missing: the bound in ms')
    found({ name: 'slo', options: { ...flags, p99Ms: p99, durationMs: duration } })
  })
}

/** Commander puts what may have been meant on a line of its own. */
function oneLine(message: string): string {
  const line = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
  return line.startsWith('unknown command') ? `${line}: see ${CALL} help` : line
}
