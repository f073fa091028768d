import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { FolderLock, FolderNotOurs } from '../../host/folder-lock.js'
import { BenchError } from '../errors.js'
import { diskError } from './store.js'

const CODES = { in_use: 'in_use', no_program: 'program_missing', refused: 'disk' } as const

/** Keeps other benchmarks out of a folder of results while this one adds to it, until it is released or the process ends. */
export class Hold {
  readonly #folder: string
  #lock: FolderLock | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  get isHeld(): boolean {
    return this.#lock !== undefined
  }

  /** As `take`, unless the folder is yet to be made. */
  async takeIfThere(): Promise<void> {
    if (existsSync(this.#folder)) await this.take()
  }

  /**
   * Takes the folder, which is made where it is not there; once is enough.
   * @throws BenchError `in_use` when another process has it, `program_missing` or `disk` when it cannot be locked
   */
  async take(): Promise<void> {
    try {
      if (this.#lock) return
      await mkdir(this.#folder, { recursive: true })
      this.#lock = await FolderLock.take(this.#folder)
    } catch (cause) {
      if (!(cause instanceof FolderNotOurs)) throw diskError(this.#folder, cause)
      throw new BenchError(CODES[cause.reason], `${this.#folder} ${cause.message}`, { cause })
    }
  }

  /** @throws BenchError `disk` when another folder has its name by now, or none: nothing may be added to that */
  async check(): Promise<void> {
    if (await this.#lock?.holds()) return
    await this.release()
    throw new BenchError('disk', `${this.#folder} was removed or replaced under way: nothing was added to it`)
  }

  async release(): Promise<void> {
    await this.#lock?.release()
    this.#lock = undefined
  }
}
