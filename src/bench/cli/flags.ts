import { type Command, Option } from 'commander'
import { BenchError } from '../errors.js'
import { integer, word } from './values.js'

const PORT = 8023

/** A flag with a value: what it takes, and what stands when it is left out. */
export function flag<Value>(
  flags: string,
  description: string,
  read: (text: string) => Value,
  fallback?: [value: Value, shown?: string]
): Option {
  const option = new Option(flags, description).argParser(text => read(text))
  return fallback ? option.default(...fallback) : option
}

/** Adds the flags of every measurement of our own stack. */
export function addSharedFlags(command: Command): Command {
  return command
    .addOption(flag('--seed <n>', 'decides the order of cells and bodies', integer(0, 2 ** 31 - 1), [1]))
    .addOption(
      flag('--payload <file>', '.json or .jsonl file of request bodies (default: golden windows of models/gru)', word)
    )
    .addOption(flag('--steps <n>', 'inference_length of every request', integer(1, 1000), [1]))
    .addOption(portFlag())
    .addOption(
      flag(
        '--balance <words>',
        "HAProxy's balance (default: leastconn, or turns of 16 ms with more replicas than cores)",
        word
      )
    )
}

export function portFlag(): Option {
  return flag('--port <n>', "HAProxy's port", integer(1, 65_535), [PORT])
}

/** What help says of `--workers`. */
export const SAME_AS_LOAD_WORKERS = 'the same as --load-workers'

/**
 * Gives the value of `--workers` to `--load-workers`, which means the same.
 * @throws BenchError `bad_flag` where both are given and differ
 */
export function mergeLoadWorkers(command: Command): void {
  if (!given(command, 'workers')) return
  const { workers, loadWorkers } = command.opts<{ workers: unknown; loadWorkers: unknown }>()
  if (given(command, 'loadWorkers') && String(workers) !== String(loadWorkers)) {
    throw new BenchError(
      'bad_flag',
      `--workers ${workers} differs from --load-workers ${loadWorkers}, which means the same`
    )
  }
  command.setOptionValueWithSource('loadWorkers', workers, 'cli')
}

/** Whether a flag stands on the command line, rather than its default. */
export function given(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === 'cli'
}
