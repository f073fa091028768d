import { createHash, createHmac, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

/** A file of keys that cannot be used; the message is one line and shows nothing of the file. */
export class BadKeyFile extends Error {}

/** Bytes of a file that is read: some ten thousand keys. */
const MOST_BYTES = 1_048_576
const KEY = /^([\w.@-]{1,64}):([\da-f]{64})$/i

/**
 * The keys of callers, of which only the hashes are known. They are looked up under a secret of this process: how long that takes
 * depends neither on how much of a key or of its hash is right, nor on how many keys there are.
 */
export class ApiKeys {
  readonly #file: string
  readonly #secret = randomBytes(32)
  /** names by the blinded hash */
  #names: ReadonlyMap<string, string>

  /** Reads the file, whose lines are `name:sha256-hex`. @throws BadKeyFile */
  constructor(file: string) {
    this.#file = file
    this.#names = this.#read()
  }

  /** How many keys are known. */
  get count(): number {
    return this.#names.size
  }

  /** Takes the file as it is now. @throws BadKeyFile, and the keys stay what they were. */
  reread(): void {
    this.#names = this.#read()
  }

  /** Whose key it is; undefined where it is nobody's. */
  nameOf(key: string): string | undefined {
    return this.#names.get(this.#blinded(createHash('sha256').update(key).digest()))
  }

  #blinded(hash: Buffer): string {
    return createHmac('sha256', this.#secret).update(hash).digest('base64')
  }

  #read(): Map<string, string> {
    const names = new Map<string, string>()
    for (const [index, text] of textOf(this.#file).split('\n').entries()) {
      const line = text.trim()
      if (line === '' || line.startsWith('#')) continue
      const [, name, hash] = KEY.exec(line) ?? []
      if (name === undefined) throw new BadKeyFile(`API_KEYS_FILE has no name:sha256-hex in line ${index + 1}`)
      const blinded = this.#blinded(Buffer.from(hash!, 'hex'))
      if (names.has(blinded)) throw new BadKeyFile(`API_KEYS_FILE has an earlier key again in line ${index + 1}`)
      names.set(blinded, name)
    }
    // Nobody could call: rather a file that was cut than a wish.
    if (names.size === 0) throw new BadKeyFile('API_KEYS_FILE has no key')
    return names
  }
}

function textOf(file: string): string {
  try {
    const stats = statSync(file)
    // A pipe would be waited for.
    if (!stats.isFile()) throw new BadKeyFile('API_KEYS_FILE is not the path of a file')
    if (stats.size > MOST_BYTES) throw new BadKeyFile('API_KEYS_FILE is larger than 1 MiB')
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof BadKeyFile) throw error
    throw new BadKeyFile(`API_KEYS_FILE cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
