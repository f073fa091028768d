import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A service process as the operator starts it: the built code, settings from the environment, a port of its own. */
export interface Service {
  url: string
  port: number
  process: ChildProcess
  /** every line that it has printed so far, on either stream */
  lines: string[]
  /** resolves to the exit code, or to the signal's name, when the process has ended */
  exit: Promise<number | string>
  /** resolves to the first line, past or to come, that holds `text` */
  line(text: string): Promise<string>
  /** sends SIGTERM and waits for the end */
  stop(): Promise<number | string>
}

export interface ServiceOptions {
  env?: Record<string, string>
  /** arguments for node itself */
  nodeArgs?: string[]
  entry?: string
}

/** Starts the service without waiting for it to listen: for tests of the start itself. */
export function spawnService({ env = {}, nodeArgs = [], entry = 'dist/main.js' }: ServiceOptions = {}): Service {
  const child = spawn(process.execPath, [...nodeArgs, entry], {
    env: {
      PATH: process.env.PATH,
      NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE,
      PORT: '0',
      DRAIN_DELAY_MS: '50',
      ...env
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const lines: string[] = []
  const waiting: { text: string; resolve(line: string): void; reject(error: Error): void }[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      for (const waiter of waiting) if (line.includes(waiter.text)) waiter.resolve(line)
    })
  }
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  void exit.then(() => {
    for (const { text, reject } of waiting) reject(new Error(`ended without printing "${text}":\n${lines.join('\n')}`))
  })
  return {
    url: '',
    port: 0,
    process: child,
    lines,
    exit,
    line: text =>
      new Promise((resolve, reject) => {
        const past = lines.find(line => line.includes(text))
        if (past !== undefined) resolve(past)
        else waiting.push({ text, resolve, reject })
      }),
    stop() {
      child.kill('SIGTERM')
      return exit
    }
  }
}

/** Starts the service and waits until it listens. The caller ends it, e.g. by `t.teardown(() => service.stop())`. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const service = spawnService(options)
  const { msg } = JSON.parse(await service.line('Server listening')) as { msg: string }
  const url = /http:\S+/.exec(msg)![0]
  return Object.assign(service, { url, port: Number(new URL(url).port) })
}
