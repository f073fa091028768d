import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import { FolderNotOurs } from '../../host/folder-lock.js'
import type { Bundle, BundleFiles } from '../bundle/bundle.js'
import { CacheFolder } from './cache-folder.js'
import { type CacheState, parseState, type Past } from './cache-state.js'
import { BUNDLE_FILES, readLocalBundle, writeLocalBundle } from '../bundle/files.js'

export interface CacheOptions {
  /** of one replica alone */
  folder: string
  /** what the copies are of; those of another origin are removed */
  origin: string
  /** the cache is not what it should be, and the service goes on */
  warn(message: string): void
}

/** The folder cannot be used at all; the message goes on from the setting's name. */
export class CacheUnusable extends Error {
  override readonly name = 'CacheUnusable'
}

/** Bundles in memory, by key: a copy that somebody removed is written from them. */
export type Known = ReadonlyMap<string, Pick<Bundle, 'files'>>

const BUNDLES = 'bundles'
const STATE = 'state.json'
const LOST = 'files in CACHE_DIR were removed by another program: the files still in memory are written again'

/** sha256, in hexadecimal, of the sha256 of each of the three files: where a bundle lies in the cache. */
function addressOf({ manifest, golden, model }: BundleFiles): string {
  const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
  return sha256([manifest, golden, model].map(sha256).join('\n'))
}

/** What went wrong with the folder: that it is not ours, or `what` and the code of the failure. */
function why(error: unknown, what: string): string {
  return error instanceof FolderNotOurs ? error.message : `${what} (${(error as NodeJS.ErrnoException).code})`
}

function refusal(error: unknown, what: string): ModelRefused {
  return new ModelRefused('cache_io', `CACHE_DIR ${why(error, what)}`, { cause: error })
}

/**
 * The last two bundles that served, by what is in them, and what was live: a folder that a restart finds again. A copy
 * gets its name at once and whole, and is read only as long as it is what its name says.
 */
export class BundleCache {
  #past: Past = { live: null, previous: null, held: null }
  readonly #options: CacheOptions
  readonly #folder: CacheFolder
  readonly #addresses = new Map<string, string>()
  #saved = ''
  /** a copy may have come that nothing keeps */
  #strays = true
  /** what the log has been told since the folder was last well */
  readonly #complaints = new Set<string>()

  constructor(options: CacheOptions) {
    this.#options = options
    this.#folder = new CacheFolder(options.folder)
  }

  /** What was live when the process before ended. */
  get past(): Past {
    return this.#past
  }

  /** Takes the folder for this process, and reads what the one before knew. Rejects with `CacheUnusable`. */
  async open(): Promise<void> {
    try {
      await this.#folder.open()
      await this.#folder.secure(BUNDLES)
      const text = await this.#folder.read(STATE)
      const state = text === undefined ? undefined : parseState(text)
      if (text !== undefined && !state) this.#complain('state.json in CACHE_DIR cannot be read: the cache starts empty')
      if (state?.origin === this.#options.origin) this.#knows(state)
    } catch (error) {
      throw new CacheUnusable(why(error, 'cannot be used'), { cause: error })
    }
    await this.#written(() => this.#write(this.#past))
  }

  /** Gives the folder up: nothing may be written any more. */
  close(): Promise<void> {
    return this.#folder.close()
  }

  #knows({ live, previous, held, bundles }: CacheState): void {
    this.#past = { live, previous, held }
    for (const { key, sha256 } of bundles) this.#addresses.set(key, sha256)
  }

  has(key: string): boolean {
    return this.#addresses.has(key)
  }

  /** A new folder to fetch into; who asks for it removes it. Rejects with `ModelRefused` `cache_io`. */
  async temporary(): Promise<string> {
    try {
      await this.#folder.secure(BUNDLES)
      return await this.#folder.temporary()
    } catch (error) {
      throw refusal(error, 'cannot take the new bundle')
    }
  }

  /** Reads a copy. Rejects with `ModelRefused`; a copy that is not what it was is forgotten. */
  async read(key: string): Promise<BundleFiles> {
    const address = this.#addresses.get(key)
    if (address === undefined) throw new ModelRefused('not_found', 'CACHE_DIR has no copy of this bundle')
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
    const files = await readLocalBundle(this.#folder.path(BUNDLES, address))
    if (addressOf(files) === address) return files
    throw new ModelRefused('checksum_mismatch', 'the files changed after they were cached')
  }

  /** Takes over a folder with these files as the copy for `key`. Rejects with `ModelRefused` `cache_io`. */
  async keep(key: string, folder: string, files: BundleFiles): Promise<void> {
    const address = addressOf(files)
    const whole = await this.#copy(address).catch(() => undefined)
    try {
      await this.#folder.secure(BUNDLES)
      if (!whole) await this.#folder.put(folder, join(BUNDLES, address))
    } catch (error) {
      throw refusal(error, 'cannot take the bundle')
    }
    this.#addresses.set(key, address)
    this.#strays = true
  }

  /**
   * Writes down what is live, and removes every copy but those of it and of the good one before. What somebody has removed is
   * written again: a copy, if its bundle is known. Never rejects.
   */
  async note(past: Past, known: Known = new Map()): Promise<void> {
    await this.#written(async () => {
      await this.#restore(past, known)
      await this.#write(past)
    })
  }

  async #written(write: () => Promise<void>): Promise<void> {
    try {
      await write()
      this.#complaints.clear()
    } catch (error) {
      const message =
        error instanceof ModelRefused
          ? error.message
          : `CACHE_DIR ${why(error, 'cannot take the state of the live model')}`
      this.#complain(message)
    }
  }

  /** Tells the log once, until all is well again. */
  #complain(message: string): void {
    if (this.#complaints.has(message)) return
    this.#complaints.add(message)
    this.#options.warn(message)
  }

  /** The copies that stay. */
  #kept(past: Past): CacheState['bundles'] {
    return [past.live, past.previous ?? past.held].flatMap(served => {
      const sha256 = served && this.#addresses.get(served.key)
      return served && sha256 ? [{ key: served.key, sha256 }] : []
    })
  }

  async #write(past: Past): Promise<void> {
    const kept = this.#kept(past)
    const state: CacheState = { schema_version: 1, origin: this.#options.origin, ...past, bundles: kept }
    const text = JSON.stringify(state)
    if (text === this.#saved && !this.#strays) return
    await this.#folder.write(STATE, text)
    await this.#prune(kept)
    this.#saved = text
    this.#strays = false
  }

  async #prune(kept: CacheState['bundles']): Promise<void> {
    const addresses = new Set(kept.map(({ sha256 }) => sha256))
    for (const [key, address] of this.#addresses) if (!addresses.has(address)) this.#addresses.delete(key)
    await this.#folder.prune(BUNDLES, addresses)
  }

  /** Writes what is missing of the copies that stay, and sees to it that the state is written. */
  async #restore(past: Past, known: Known): Promise<void> {
    const kept = this.#kept(past)
    const isThere = await Promise.all(
      kept.map(({ sha256 }) => this.#folder.has(...BUNDLE_FILES.map(name => join(BUNDLES, sha256, name))))
    )
    const lost = kept.filter((_, index) => !isThere[index])
    if (lost.length === 0 && (await this.#folder.isOurs()) && (await this.#folder.has(STATE))) return
    await this.#folder.secure(BUNDLES)
    this.#complain(LOST)
    this.#saved = ''
    this.#strays = true
    for (const { key } of lost) await this.#writeCopy(key, known.get(key))
  }

  async #writeCopy(key: string, bundle: Pick<Bundle, 'files'> | undefined): Promise<void> {
    this.#addresses.delete(key)
    if (!bundle) return
    const folder = await this.temporary()
    await writeLocalBundle(folder, bundle.files)
    await this.keep(key, folder, bundle.files)
  }
}
