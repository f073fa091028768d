import { parseArgs, type ParseArgsConfig } from 'node:util'
import { BenchError } from '../errors.js'

type Values = Record<string, string | boolean | undefined>

/** The flags and words of one command line, read one by one; whatever is wrong with one names it. */
export class Flags {
  readonly #values: Values
  readonly words: string[]

  /** @throws BenchError `bad_flag` for a flag that there is not, or one without its value */
  constructor(args: string[], options: NonNullable<ParseArgsConfig['options']>) {
    try {
      const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true })
      this.#values = values as Values
      this.words = positionals
    } catch (cause) {
      throw new BenchError('bad_flag', (cause as Error).message.split('. ')[0]!, { cause })
    }
  }

  given(name: string): boolean {
    return this.#values[name] !== undefined
  }

  isSet(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name)
    if (text === undefined || choices.includes(text as Choice)) return text as Choice | undefined
    throw new BenchError('bad_flag', `--${name} must be ${choices.join(' or ')}, not "${text}"`)
  }

  integer(name: string, lowest: number, highest: number): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : readInteger(name, text, [lowest, highest])
  }

  /** Whole numbers with commas between them, each one once. */
  integers(name: string, lowest: number, highest: number): number[] | undefined {
    const numbers = this.text(name)
      ?.split(',')
      .map(text => readInteger(name, text, [lowest, highest]))
    if (numbers && new Set(numbers).size < numbers.length) {
      throw new BenchError('bad_flag', `--${name} has a number twice: ${numbers.join(',')}`)
    }
    return numbers
  }

  url(name: string): string | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : readUrl(name, text)
  }

  urls(name: string): string[] {
    return (this.text(name)?.split(',') ?? []).map(text => readUrl(name, text))
  }
}

function readInteger(name: string, text: string, [lowest, highest]: [number, number]): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN
  if (number >= lowest && number <= highest) return number
  throw new BenchError('bad_flag', `--${name} must be a whole number of ${lowest} to ${highest}, not "${text}"`)
}

function readUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' && url.username === '') return text.replace(/\/$/, '')
  throw new BenchError('bad_flag', `--${name} must be an http address, not "${text}"`)
}
