import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import type { Test } from 'tap'

/** What the `onnx` package reads from a model. */
export interface Read {
  operators: string[]
  external: boolean
  inputs: string[]
  outputs: string[]
  nodes: number
}

const PYTHON = '.services/onnx/bin/python'
const READER = 'test/support/onnx-reader.py'

/** A process that answers models with lines of JSON. It may die of one: then it is started anew. */
class Peer<Answer> {
  readonly #command: string[]
  #child: ChildProcess | undefined
  #lines: AsyncIterator<string> | undefined

  constructor(command: string[]) {
    this.#command = command
  }

  /** Resolves to undefined where the model is refused, or is the end of the process. */
  async ask(model: Uint8Array): Promise<Answer | undefined> {
    if (!this.#child) this.#start()
    const length = Buffer.alloc(4)
    length.writeUInt32LE(model.length)
    this.#child!.stdin!.write(Buffer.concat([length, model]))
    const { value, done } = await this.#lines!.next()
    if (done) this.#child = undefined
    const answer = done ? { error: 'it died' } : (JSON.parse(value) as Answer & { error?: string })
    return 'error' in answer ? undefined : answer
  }

  #start(): void {
    const [program, ...args] = this.#command as [string, ...string[]]
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child.stdin!.on('error', () => undefined)
    const lines: Interface = createInterface({ input: this.#child.stdout! })
    this.#lines = lines[Symbol.asyncIterator]()
  }

  async end(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null) return
    child.stdin!.end()
    await once(child, 'exit')
  }
}

/** Two that read a model independently of the service: the `onnx` package, and onnxruntime, which saves what it holds. */
export class OnnxPeers {
  readonly #reader = new Peer<Read>([PYTHON, READER])
  readonly #runtime: Peer<Pick<Read, 'inputs' | 'outputs'>>
  readonly #saved: string

  /** `extra` are settings of onnxruntime's session. */
  constructor(t: Test, extra = {}) {
    this.#saved = `${t.testdir()}/saved.onnx`
    const loader = ['test/support/onnx-loader.mjs', this.#saved, JSON.stringify(extra)]
    // No more memory than a trial has: what a changed number asks for must not take the host's.
    this.#runtime = new Peer([
      '/bin/sh',
      '-c',
      'ulimit -c 0; ulimit -d 2097152; exec "$@"',
      'sh',
      process.execPath,
      ...loader
    ])
    t.teardown(() => Promise.all([this.#reader.end(), this.#runtime.end()]))
  }

  /** What the package reads in the bytes; undefined where it cannot. */
  read(model: Uint8Array): Promise<Read | undefined> {
    return this.#reader.ask(model)
  }

  /** What onnxruntime holds once it has loaded the bytes, as the package reads it; undefined where it does not load them. */
  async loaded(model: Uint8Array): Promise<Read | undefined> {
    const tensors = await this.#runtime.ask(model)
    if (!tensors) return undefined
    const held = await this.#reader.ask(readFileSync(this.#saved))
    return { ...held!, ...tensors }
  }
}

/** The fields of onnx.proto, as the package has them. */
export async function onnxSchema(): Promise<Record<string, Record<string, string>>> {
  const child = spawn(PYTHON, [READER, 'schema'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return JSON.parse(text) as Record<string, Record<string, string>>
}
