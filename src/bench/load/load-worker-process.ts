import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BenchError } from '../errors.js'
import type { LoadWorkerTick } from '../samples/merge.js'
import type { CommandName, Commands, LoadWorkerReply } from './messages.js'

const here = import.meta.url

/** A load worker's entry: beside this file where TypeScript is loaded as it stands, beside main.js after the build. */
const ENTRY = fileURLToPath(new URL(here.endsWith('.ts') ? './load-worker.ts' : './load-worker.js', here))

interface Waiting {
  resolve(answers: never): void
  reject(error: Error): void
}

/** A load worker as its parent sees it. Its channel closes when the parent ends, whatever ends it, and ends the load worker. */
export class LoadWorkerProcess {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #exit: Promise<number | string>
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0
  #ended: number | string | undefined
  onTick: (tick: LoadWorkerTick) => void = () => undefined

  /** Starts it in a process group of its own: Ctrl-C reaches the parent alone. */
  constructor(name: string) {
    this.#name = name
    this.#process = fork(ENTRY, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#process.on('message', (message: LoadWorkerReply) => this.#onMessage(message))
    // Its last message may be read after its exit is known: the channel ends behind that message.
    const closed = once(this.#process, 'disconnect')
    this.#exit = once(this.#process, 'exit').then(
      async ([code, signal]) => {
        await closed
        return (code ?? signal) as number | string
      },
      (error: NodeJS.ErrnoException) => error.code ?? error.message
    )
    closed.catch(() => undefined)
    void this.#exit.then(code => this.#onEnd(code))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** @throws BenchError `child_died` when the load worker has ended or ends before it answers */
  async ask<Name extends CommandName>(name: Name, asks: Commands[Name]['asks']): Promise<Commands[Name]['answers']> {
    if (this.#ended !== undefined) throw this.#died(this.#ended)
    const id = this.#asked++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // An error here means that the process has ended, which is told by its end.
      this.#process.send({ id, name, asks }, () => undefined)
    })
  }

  /** Resolves when the process has ended by itself. */
  async ended(): Promise<void> {
    await this.#exit
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exit
  }

  #onMessage(message: LoadWorkerReply): void {
    if ('tickAt' in message) return this.onTick(message)
    this.#waiting.get(message.id)?.resolve(message.answers as never)
    this.#waiting.delete(message.id)
  }

  #onEnd(code: number | string): void {
    this.#ended = code
    for (const { reject } of this.#waiting.values()) reject(this.#died(code))
    this.#waiting.clear()
  }

  #died(code: number | string): BenchError {
    return new BenchError('child_died', `${this.#name} has ended (${code})`)
  }
}
