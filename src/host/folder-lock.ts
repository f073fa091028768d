import { spawnSync } from 'node:child_process'
import { type BigIntStats, close, constants, fstat, lstat, open } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A folder that cannot be had alone. The message goes on from the folder's name, or that of the setting that names it. */
export class FolderNotOurs extends Error {
  override readonly name = 'FolderNotOurs'
  /** another process has it; nobody here can lock at all, for want of the program; the file system does not let us */
  readonly reason: 'in_use' | 'no_program' | 'refused'

  constructor(reason: FolderNotOurs['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

const LOCK = '.lock'
/** Not through a link, which may lead anywhere. Writable: NFS gives an exclusive lock on nothing else. */
const HOW = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
/**
 * For as long as this a folder in use is asked for again: a child that a killed process was about to start shares the
 * descriptors of that process until its own program runs.
 */
const TRIES = { count: 6, pauseMs: 100 }
/** Ms that the program may take: the server of a network's file system may be gone. */
const PROGRAM_MS = 10_000

// A FileHandle that nothing refers to any more is closed by the collector, and the lock with it: so descriptors are numbers.
const openFile = promisify(open)
const closeFile = promisify(close)
const statOf = promisify(fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>
const statAt = promisify(lstat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>

/**
 * The right to be the only one that writes into a folder, among all processes of this host, in whatever container: flock(2)
 * on a file in it. Such a lock belongs to the open file, so the kernel gives it up when the process ends, however that
 * is; there is no stale lock. Node cannot ask for one: `flock` of util-linux or busybox does, once, with our descriptor, and
 * the lock stays when that program has ended. Node's descriptors are closed in the programs that it starts.
 *
 * The file stays when the lock is given up: who removes it leaves two processes with a lock each, on two files of one name.
 * That is what `holds` finds out.
 */
export class FolderLock {
  readonly #path: string
  readonly #fd: number

  private constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
  }

  /** Takes a folder that is there. Rejects with `FolderNotOurs`, or as `open`. */
  static async take(folder: string): Promise<FolderLock> {
    const path = join(folder, LOCK)
    for (let left = TRIES.count; left > 0; left--) {
      const lock = new FolderLock(path, await openFile(path, HOW))
      try {
        if (locked(lock.#fd) && (await lock.holds())) return lock
      } catch (error) {
        await lock.release()
        throw error
      }
      await lock.release()
      if (left > 1) await pause(TRIES.pauseMs)
    }
    throw new FolderNotOurs('in_use', 'is in use by another process')
  }

  /** Whether it guards the folder still: the file may have been removed, and the folder with it, or another put in its place. */
  async holds(): Promise<boolean> {
    const ours = await statOf(this.#fd, { bigint: true })
    const there = await statAt(this.#path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    return there?.ino === ours.ino && there.dev === ours.dev
  }

  /** Gives the folder up. */
  release(): Promise<void> {
    return closeFile(this.#fd)
  }
}

/** Locks an open file, unless somebody else has. Busybox has one exit code for that and for all failures, which it names. */
function locked(fd: number): boolean {
  const { error, status, signal, stderr } = spawnSync('flock', ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
    timeout: PROGRAM_MS
  })
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOENT') {
    throw new FolderNotOurs('no_program', 'cannot be locked: the program flock (of util-linux) is missing')
  }
  if (status === 0) return true
  const said = stderr?.trim() ?? ''
  if (status === 1 && said === '') return false
  const why = code ?? (said.split(': ').at(-1) || `flock ended with ${signal ?? status}`)
  throw new FolderNotOurs('refused', `cannot be locked (${why})`)
}
