import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const GUARD = fileURLToPath(new URL('../../servers/guard.sh', import.meta.url))
/** Ms that a server is given to end after SIGTERM, and to become ready. */
const END_MS = 20_000
const READY_MS = 120_000

/** A real server of the tests. Its ports and its data stay the same from the start to `stop`. */
export interface Server {
  /** where its data and its log lie */
  folder: string
  /** ends it for good and removes its data */
  stop(): Promise<void>
  /** SIGKILL, the data stays: `restart` brings it back */
  kill(): Promise<void>
  /** SIGSTOP: connections are still taken by the kernel, nothing answers */
  freeze(): void
  /** SIGCONT */
  thaw(): void
  /** ends it if it runs, starts it on the same ports with the same data, and waits until it is ready */
  restart(): Promise<void>
  /** what it has printed */
  log(): string
}

export interface Program {
  name: string
  /** an empty folder of its own in which it runs; see `dataFolder` */
  folder: string
  command: string[]
  env?: Record<string, string>
  /** whether it answers as a server that can be used; may throw until then */
  ready(): Promise<boolean>
}

/** A new folder for a server's data; `stop` removes it. */
export function dataFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `gru-${name}-`))
}

/** Starts a program and waits until it is ready. It ends, with all of its children, when this process ends, however. */
export async function startServer(program: Program): Promise<Server> {
  const server = new GuardedServer(program)
  try {
    await server.restart()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

class GuardedServer implements Server {
  readonly folder: string
  readonly #program: Program
  readonly #logFile: string
  #guard: ChildProcess | undefined
  #group = 0

  constructor(program: Program) {
    this.folder = program.folder
    this.#program = program
    this.#logFile = join(program.folder, 'server.log')
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM')
    const { name, folder, command, env } = this.#program
    const log = openSync(this.#logFile, 'a')
    const guarded = [GUARD, String(process.pid), folder, ...command]
    // A session of its own: Ctrl-C on a terminal reaches the tests, which stop the server as they see fit.
    const guard = spawn('setpriv', ['--pdeathsig', 'TERM', ...guarded], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', log, log, 'pipe'],
      detached: true
    })
    closeSync(log)
    const [text] = (await Promise.race([once(guard.stdio[3]!, 'data'), once(guard, 'exit').then(() => [''])])) as [
      string
    ]
    if (!String(text)) throw new Error(`${name} could not be started:\n${this.log()}`)
    this.#guard = guard
    this.#group = Number(text)
    await this.#untilReady()
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL')
    rmSync(this.#program.folder, { recursive: true, force: true })
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  freeze(): void {
    this.#signal('SIGSTOP')
    // A signal is on its way for a moment: a thread that still runs could answer somebody.
    while (threadsOf(this.#group).some(state => state !== 'T')) continue
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : ''
  }

  async #untilReady(): Promise<void> {
    const { name, ready } = this.#program
    for (const end = performance.now() + READY_MS; performance.now() < end; await pause(50)) {
      if (!this.#runs()) throw new Error(`${name} ended:\n${this.log()}`)
      if (await ready().catch(() => false)) return
    }
    throw new Error(`${name} was not ready within ${READY_MS} ms:\n${this.log()}`)
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#runs()) {
      const ended = once(this.#guard!, 'exit')
      this.#signal(signal)
      // A frozen process takes SIGTERM only when it goes on.
      this.#signal('SIGCONT')
      const timer = setTimeout(() => this.#signal('SIGKILL'), END_MS)
      await ended
      clearTimeout(timer)
    }
    this.#guard = undefined
    this.#group = 0
  }

  #runs(): boolean {
    return this.#guard !== undefined && this.#guard.exitCode === null && this.#guard.signalCode === null
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#runs()) return
    try {
      process.kill(-this.#group, signal)
    } catch (error) {
      // It ended by itself a moment ago.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** The state of each thread of a process, by the letters of proc(5). */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => {
    const file = `/proc/${pid}/task/${thread}/stat`
    if (!existsSync(file)) return []
    const stat = readFileSync(file, 'utf8')
    return [stat.slice(stat.lastIndexOf(')') + 2)[0]!]
  })
}
