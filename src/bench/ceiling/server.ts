import { setTimeout as pause } from 'node:timers/promises'
import { sum } from '../analysis/figures.js'
import { BenchError } from '../errors.js'
import type { Case } from '../load/cases.js'
import { FAILURES, startLoad } from '../load/generator.js'
import type { WindowFigures } from '../samples/merge.js'
import { Child } from '../stack/child.js'
import { readProcess } from '../watch/proc.js'
import type { Sample } from './table.js'

/** Ms in which load runs before it is measured, so that connections and code are warm. */
const LEAD_IN_MS = 500
/** Says that a server takes requests, and where. */
const LISTENING = /^listening at (http:\S+)/

/** A server that is compared, in a process of its own. */
export interface Server {
  name: string
  url: string
  child: Child
}

/** Starts one of the yardsticks on a free port and resolves when it listens. */
export async function startEcho(name: string, entry: string): Promise<Server> {
  const child = new Child({ name, command: process.execPath, args: [entry], env: { PORT: '0' } })
  return { name, child, url: await child.line(line => LISTENING.exec(line)?.[1]) }
}

export interface Measurement {
  connections: number
  durationMs: number
  bodies: readonly string[]
  /** what must come back; left out, any good answer counts */
  expected?: readonly Case[]
  signal: AbortSignal
}

/**
 * Puts a server under load from one process and measures it.
 * @throws BenchError `target_down` when a request failed: a rate of failures says nothing; `child_died` when the server
 * or the load worker ended
 */
export async function measure(server: Server, measurement: Measurement): Promise<Sample> {
  const { connections: users, durationMs, bodies, expected, signal } = measurement
  const more = expected && { expected }
  const order = { url: `${server.url}/predict`, users, bodies, ...more, ...FAILURES }
  const load = await startLoad({ ...order, workers: 1, thinkMs: 0, seed: 1 })
  try {
    await wait(LEAD_IN_MS, server, signal)
    const window = await load.beginWindow()
    const used = [server.child.pid, load.pids[0]!].map(cpuSince)
    await wait(durationMs, server, signal)
    const figures = await window.end()
    const [serverCpu, loadCpu] = used.map(seconds => seconds()) as [number, number]
    await load.drain()
    const seconds = figures.elapsedMs / 1000
    const good = goodAnswers(server.name, figures)
    return { rps: good / seconds, cpuUsPerRequest: (serverCpu / good) * 1e6, loadWorkerShare: loadCpu / seconds }
  } finally {
    await load.kill()
  }
}

/** Waits while the server lives. */
async function wait(ms: number, { name, child }: Server, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const died = child.exit.then(code => {
    throw new BenchError('child_died', `${name} has ended (${code})`)
  })
  try {
    await Promise.race([pause(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }), died])
  } finally {
    over.abort()
  }
}

/** Begins to count a process's CPU seconds, and returns what counts them so far. */
function cpuSince(pid: number): () => number {
  const before = readProcess(pid).cpuSeconds
  return () => readProcess(pid).cpuSeconds - before
}

function goodAnswers(name: string, { completed, statuses, errors, lost, mismatched }: WindowFigures): number {
  const good = (statuses[200] ?? 0) - mismatched
  const asked = completed + sum(Object.values(errors)) + lost
  if (good === asked && good > 0) return good
  throw new BenchError('target_down', `${name}: ${asked - good} of ${asked} requests failed`)
}
