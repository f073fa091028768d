import { InvalidArgumentError } from 'commander'

/** Reads the text after a flag. Throws commander's `InvalidArgumentError`, which becomes a line that names the flag. */
type Read<Value> = (text: string) => Value

export function integer(lowest: number, highest: number): Read<number> {
  return text => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN
    if (number >= lowest && number <= highest) return number
    throw new InvalidArgumentError(`Give a whole number from ${lowest} to ${highest}.`)
  }
}

/** Whole numbers with commas between them, each one once. */
export function integers(lowest: number, highest: number): Read<number[]> {
  const read = integer(lowest, highest)
  return text => {
    const numbers = text.split(',').map(read)
    if (new Set(numbers).size === numbers.length) return numbers
    throw new InvalidArgumentError('Give each number once.')
  }
}

/** Whole seconds, as ms. */
export const seconds: Read<number> = text => integer(1, 86_400)(text) * 1000

/** A text such as a folder's name; what begins with `-` is the next flag, and the value was forgotten. */
export const word: Read<string> = text => {
  if (text !== '' && !text.startsWith('-')) return text
  throw new InvalidArgumentError('Give a value that does not begin with "-".')
}

export const url: Read<string> = text => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed?.protocol === 'http:' && parsed.username === '') return text.replace(/\/$/, '')
  throw new InvalidArgumentError('Give an http address without a password.')
}

export const urls: Read<string[]> = text => text.split(',').map(url)
