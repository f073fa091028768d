import { createHash } from 'node:crypto'
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle.js'
import { type CacheState, parseState, type Past } from './cache-state.js'
import { readLocalBundle } from './local.js'

export interface CacheOptions {
  /** of one replica alone */
  folder: string
  /** what the copies are of; those of another origin are removed */
  origin: string
  /** the cache is not what it should be, and the service goes on */
  warn(message: string): void
}

/** The folder cannot be used at all; the message is the code of the failure. */
export class CacheUnusable extends Error {
  override readonly name = 'CacheUnusable'
}

const TEMPORARY = 'temporary-'
const STATE = 'state.json'

/** sha256, in hexadecimal, of the sha256 of each of the three files: where a bundle lies in the cache. */
function addressOf({ manifest, golden, model }: BundleFiles): string {
  const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
  return sha256([manifest, golden, model].map(sha256).join('\n'))
}

/**
 * The last two bundles that served, by what is in them, and what was live: a folder that a restart finds again. A copy
 * gets its name at once and whole, and is read only as long as it is what its name says.
 */
export class BundleCache {
  #past: Past = { live: null, previous: null, held: null }
  readonly #options: CacheOptions
  readonly #addresses = new Map<string, string>()
  #saved = ''
  /** a copy may have come that nothing keeps */
  #strays = true

  constructor(options: CacheOptions) {
    this.#options = options
  }

  /** What was live when the process before ended. */
  get past(): Past {
    return this.#past
  }

  get #bundles(): string {
    return join(this.#options.folder, 'bundles')
  }

  /** Removes what a process that was killed has left, and reads what it knew. Rejects with `CacheUnusable`. */
  async open(): Promise<void> {
    const { folder, origin, warn } = this.#options
    try {
      await mkdir(this.#bundles, { recursive: true })
      await access(folder, constants.W_OK)
      const left = (await readdir(folder)).filter(name => name.startsWith(TEMPORARY))
      await Promise.all(left.map(name => rm(join(folder, name), { recursive: true, force: true })))
      const text = await readFile(join(folder, STATE), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      const state = text === undefined ? undefined : parseState(text)
      if (text !== undefined && !state) warn('state.json in CACHE_DIR cannot be read: the cache begins anew')
      if (state?.origin === origin) this.#knows(state)
    } catch (error) {
      throw new CacheUnusable((error as NodeJS.ErrnoException).code, { cause: error })
    }
    await this.note(this.#past)
  }

  #knows({ live, previous, held, bundles }: CacheState): void {
    this.#past = { live, previous, held }
    for (const { key, sha256 } of bundles) this.#addresses.set(key, sha256)
  }

  has(key: string): boolean {
    return this.#addresses.has(key)
  }

  /** A new folder to fetch into; who asks for it removes it. Rejects as `mkdtemp`. */
  temporary(): Promise<string> {
    return mkdtemp(join(this.#options.folder, TEMPORARY))
  }

  /** Reads a copy. Rejects with `ModelRefused`; a copy that is not what it was is forgotten. */
  async read(key: string): Promise<BundleFiles> {
    const address = this.#addresses.get(key)
    if (address === undefined) throw new ModelRefused('not_found', 'CACHE_DIR has no copy of it')
    try {
      return await this.#copy(address)
    } catch (error) {
      const { message, transient } = error as ModelRefused
      this.#options.warn(`a copy in CACHE_DIR cannot be used: ${message}`)
      if (!transient) this.#addresses.delete(key)
      throw error
    }
  }

  async #copy(address: string): Promise<BundleFiles> {
    const files = await readLocalBundle(join(this.#bundles, address))
    if (addressOf(files) === address) return files
    throw new ModelRefused('checksum_mismatch', 'it is not what was kept')
  }

  /** Takes over a folder with these files as the copy for `key`. Rejects with `ModelRefused` `cache_io`. */
  async keep(key: string, folder: string, files: BundleFiles): Promise<void> {
    const address = addressOf(files)
    const home = join(this.#bundles, address)
    const whole = await this.#copy(address).catch(() => undefined)
    try {
      if (!whole) {
        await rm(home, { recursive: true, force: true })
        await rename(folder, home)
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new ModelRefused('cache_io', `CACHE_DIR does not take the bundle (${code})`, { cause: error })
    }
    this.#addresses.set(key, address)
    this.#strays = true
  }

  /** Writes down what is live, and removes every copy but those of it and of the good one before. Never rejects. */
  async note(past: Past): Promise<void> {
    const { folder, origin, warn } = this.#options
    const kept = [past.live, past.previous ?? past.held].flatMap(served => {
      const sha256 = served && this.#addresses.get(served.key)
      return served && sha256 ? [{ key: served.key, sha256 }] : []
    })
    const state: CacheState = { schema_version: 1, origin, ...past, bundles: kept }
    const text = JSON.stringify(state)
    if (text === this.#saved && !this.#strays) return
    try {
      const draft = join(folder, `${TEMPORARY}${STATE}`)
      await writeFile(draft, text)
      await rename(draft, join(folder, STATE))
      await this.#prune(kept)
      this.#saved = text
      this.#strays = false
    } catch (error) {
      warn(`CACHE_DIR does not take what is live now (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  async #prune(kept: CacheState['bundles']): Promise<void> {
    const addresses = new Set(kept.map(({ sha256 }) => sha256))
    for (const [key, address] of this.#addresses) if (!addresses.has(address)) this.#addresses.delete(key)
    const others = (await readdir(this.#bundles)).filter(name => !addresses.has(name))
    await Promise.all(others.map(name => rm(join(this.#bundles, name), { recursive: true, force: true })))
  }
}
