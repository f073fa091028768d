import { BenchError } from '../errors.js'
import { CALL, flagNames } from './cli.js'

/**
 * Refuses flags that npm took for its own: of `npm run bench --quick`, without `--`, npm keeps `--quick` and the benchmark
 * would measure for an hour. npm leaves such flags in the environment, and the values of some of them among the words.
 * @throws BenchError `bad_flag`, with the line that was meant
 */
export function refuseSwallowed(args: string[], environment = process.env): void {
  if (environment['npm_lifecycle_event'] !== 'bench') return
  const taken = flagNames().filter(name => environment[`npm_config_${name.replaceAll('-', '_')}`] !== undefined)
  if (taken.length === 0) return
  const flags = taken.map(name => `--${name}`).join(' ')
  const [command] = args.filter(word => /^[a-z]/.test(word))
  const meant = [CALL, command, flags].filter(Boolean).join(' ')
  throw new BenchError('bad_flag', `npm took ${flags} for itself: put "--" before the flags, as in ${meant}`)
}
