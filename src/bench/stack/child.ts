import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { BenchError } from '../errors.js'

/** Where programs are looked for: children get no variable of ours but those that they are given. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Exit code of a shell that could not find the program. */
const NOT_FOUND = 127

/**
 * The kernel ends the child with its parent, even if that is killed. The parent may have died before the child asked for
 * this: then its parent is another by now, and it does not start.
 */
const WITH_PARENT = ['--pdeathsig', 'KILL', '--', 'sh', '-c', 'test "$PPID" = "$0" && exec "$@"', String(process.pid)]

export interface ChildOptions {
  /** what the user knows it by */
  name: string
  command: string
  args: string[]
  env: Record<string, string>
  /** every line that it prints on either stream */
  onLine?: ((line: string) => void) | undefined
}

/** A process that ends before us or with us, whatever ends us. */
export class Child {
  readonly name: string
  /** its exit code, or the signal that ended it */
  readonly exit: Promise<number | string>
  readonly #last = { stdout: '', stderr: '' }
  readonly #command: string
  readonly #process: ChildProcess
  readonly #listeners = new Set<(line: string) => void>()

  /** Starts it in a process group of its own: Ctrl-C reaches us alone, and we end it in order. */
  constructor({ name, command, args, env, onLine }: ChildOptions) {
    this.name = name
    this.#command = command
    this.#process = spawn('setpriv', [...WITH_PARENT, command, ...args], {
      env: { PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    if (onLine) this.#listeners.add(onLine)
    for (const name of ['stdout', 'stderr'] as const) {
      createInterface({ input: this.#process[name]! }).on('line', line => {
        this.#last[name] = line
        for (const listener of this.#listeners) listener(line)
      })
    }
    this.exit = once(this.#process, 'close').then(
      ([code, signal]) => (code ?? signal) as number | string,
      () => NOT_FOUND
    )
  }

  /** The last line that it has printed, if any. The two streams have no order; what ends a process is said on stderr. */
  get lastLine(): string {
    return this.#last.stderr || this.#last.stdout
  }

  /** @throws BenchError `program_missing` when setpriv, and so the process, could not be started */
  get pid(): number {
    const { pid } = this.#process
    if (pid === undefined) throw new BenchError('program_missing', 'setpriv (util-linux) is not installed')
    return pid
  }

  /**
   * Resolves to what `look` finds in a line to come.
   * @throws BenchError when the process ends without such a line, with the last one that it printed
   */
  async line<Found>(look: (line: string) => Found | undefined): Promise<Found> {
    return new Promise((resolve, reject) => {
      const listener = (line: string) => {
        const found = look(line)
        if (found === undefined) return
        this.#listeners.delete(listener)
        resolve(found)
      }
      this.#listeners.add(listener)
      void this.exit.then(code => reject(this.startError(code)))
    })
  }

  /** Why it ended before it was ready. */
  startError(code: number | string): BenchError {
    if (this.#process.pid === undefined)
      return new BenchError('program_missing', 'setpriv (util-linux) is not installed')
    if (code === NOT_FOUND) return new BenchError('program_missing', `${this.#command} is not installed`)
    return new BenchError('start_failed', `${this.name} did not start (${code}): ${this.lastLine || 'no output'}`)
  }

  /** Asks it to end, makes it after `graceMs`, and resolves when it has. */
  async stop(graceMs: number): Promise<void> {
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs)
    await this.exit
    clearTimeout(timer)
  }
}
