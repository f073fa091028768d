import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderLock } from '../../host/folder-lock.js'

const TEMPORARY = 'temporary-'

/** Whether there is something of this name. Rejects where that cannot be known. */
async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * A folder of this process alone. It may be emptied, removed or replaced at any time, so whoever writes into it calls
 * `secure` first. All methods reject as the calls of the file system do, or with `FolderNotOurs`.
 */
export class CacheFolder {
  readonly #path: string
  #lock: FolderLock | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Of something in it. */
  path(...names: string[]): string {
    return join(this.#path, ...names)
  }

  /** Makes it where it is not, takes it, and removes what a process that was killed has left. */
  async open(): Promise<void> {
    await this.#take()
    await access(this.#path, constants.W_OK)
    const left = (await readdir(this.#path)).filter(name => name.startsWith(TEMPORARY))
    await Promise.all(left.map(name => rm(this.path(name), { recursive: true, force: true })))
  }

  /** Gives it up. */
  async close(): Promise<void> {
    await this.#lock?.release()
    this.#lock = undefined
  }

  /** Sees to it that it is there, with a folder in it, and ours still. */
  async secure(within: string): Promise<void> {
    if (!(await this.isOurs())) await this.#take()
    await mkdir(this.path(within), { recursive: true })
  }

  /** Whether what has its name is still what was taken. */
  async isOurs(): Promise<boolean> {
    return (await this.#lock?.holds()) ?? false
  }

  async #take(): Promise<void> {
    await mkdir(this.#path, { recursive: true })
    const lock = await FolderLock.take(this.#path)
    await this.close()
    this.#lock = lock
  }

  /** Whether files are there, all of them. */
  async has(...files: string[]): Promise<boolean> {
    return (await Promise.all(files.map(file => exists(this.path(file))))).every(Boolean)
  }

  /** A new folder in it, which the next `open` removes if its owner does not. */
  temporary(): Promise<string> {
    return mkdtemp(this.path(TEMPORARY))
  }

  /** The text of a file; undefined where there is none. */
  async read(file: string): Promise<string | undefined> {
    return (await exists(this.path(file))) ? readFile(this.path(file), 'utf8') : undefined
  }

  /** Writes a file whole or not at all. */
  async write(file: string, text: string): Promise<void> {
    const draft = this.path(`${TEMPORARY}${file}`)
    await writeFile(draft, text)
    await rename(draft, this.path(file))
  }

  /** Moves a folder from somewhere else in it to its place, whatever is there. */
  async put(folder: string, place: string): Promise<void> {
    await rm(this.path(place), { recursive: true, force: true })
    await rename(folder, this.path(place))
  }

  /** Removes all of a folder in it but some. */
  async prune(within: string, kept: ReadonlySet<string>): Promise<void> {
    const others = (await readdir(this.path(within))).filter(name => !kept.has(name))
    await Promise.all(others.map(name => rm(this.path(within, name), { recursive: true, force: true })))
  }
}
