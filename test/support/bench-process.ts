import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { freePorts } from './servers/ports.js'

const MAIN = 'dist/bench/main.js'
const run = promisify(execFile)

/** The benchmark as a process of its own, as a user runs it. */
export interface Bench {
  pid: number
  /** what it has said so far */
  said(): string
  /** its exit code, or the signal that ended it */
  ended: Promise<number | string>
  kill(signal: NodeJS.Signals): void
}

export function bench(t: Test, args: readonly (string | number)[]): Bench {
  const child = spawn(process.execPath, [MAIN, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { pid: child.pid!, said: () => said, ended, kill: signal => child.kill(signal) }
}

/** Lines of the cells that have been kept. */
export const cellsIn = (folder: string): string[] =>
  existsSync(`${folder}/cells.jsonl`) ? readFileSync(`${folder}/cells.jsonl`, 'utf8').split('\n').slice(0, -1) : []

/** Processes that a benchmark started, or that those started, by their command line. */
export async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid='])
  const pairs = stdout
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number) as [number, number])
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

export const isAlive = (pid: number): boolean => {
  try {
    // A process that nobody has asked for its exit code yet has ended nevertheless.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Interrupts a benchmark as Ctrl-C does: it says so, and nothing that it started is left. */
export async function interrupt(t: Test, benchmark: Bench): Promise<void> {
  const started = await descendants(benchmark.pid)
  // HAProxy, a replica and a load worker at the least
  t.ok(started.length > 2, `${started.length} processes`)
  benchmark.kill('SIGINT')
  t.equal(await benchmark.ended, 130)
  t.match(benchmark.said(), /^bench: stopped by SIGINT$/m)
  t.same(started.filter(isAlive), [])
}

/** A small sweep on a port of its own. */
export async function flags(folder: string): Promise<(string | number)[]> {
  const [port] = (await freePorts(1)) as [number]
  const matrix = ['--replicas', '1,2', '--users', 8, '--load-workers', 2, '--duration', 1, '--repeats', 2]
  return ['--quick', ...matrix, '--port', port, '--out', folder]
}
