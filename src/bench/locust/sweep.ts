import { mkdir } from 'node:fs/promises'
import { BenchError } from '../errors.js'
import { csvPrefix, findLocust, freePort, masterArgs, workerArgs } from './commands.js'
import { minimumUsers, readCsv, wholeRow, type IntervalRow, intervalRow } from './figures.js'
import { type MergedIntervals, mergeIntervals } from './merge.js'
import { type Edge, LocustProcess, type WorkerInterval } from './process.js'

export interface LocustOptions {
  /** the target, without a path */
  url: string
  users: number
  /** load-generating processes; the master that counts is one more */
  workers: number
  /** the measured interval, after the warm-up */
  durationMs: number
  warmUpMs: number
  thinkMs: number
  /** written by `writePayload` */
  bodiesFile: string
  /** folder for Locust's own files; it is made if it is not there */
  outDir: string
  /** port of Locust's own page on loopback; without it there is none */
  webPort?: number | undefined
  /** the program, when it is not where test/servers/install.sh puts it */
  program?: string | undefined
  onLog?: ((line: string) => void) | undefined
  /** called when the first worker's interval begins, and when the first one ends: the others are some ms behind */
  onInterval?: ((edge: Edge) => void) | undefined
  /** ends the run early: everything is stopped, then its reason is thrown */
  signal?: AbortSignal | undefined
}

export interface LocustFigures extends MergedIntervals {
  /** the interval as Locust's CSV has it: its latencies, and counts that the workers' must equal */
  row: IntervalRow
  /** all requests as Locust's CSV has them */
  wholeRow: Pick<IntervalRow, 'requests' | 'failures'>
}

/**
 * Runs a Locust master with its workers against a target and resolves to the figures of the measured interval.
 *
 * The interval is cut by what the requests are called (load/locustfile.py): Locust's percentiles are over one name, while
 * `--reset-stats` would cut when the users are there, warm or not, and the history only has the last ten seconds'.
 * @throws BenchError `program_missing`, `port_in_use`, `start_failed`, `child_died` when a process ended early or users
 * were missing, `bad_results` when Locust's files do not say what they should
 */
export async function runLocust(order: LocustOptions): Promise<LocustFigures> {
  order.signal?.throwIfAborted()
  const program = findLocust(order.program)
  if (order.webPort !== undefined) await freePort(order.webPort)
  const port = await freePort(0)
  await mkdir(order.outDir, { recursive: true })
  const told = new Set<Edge>()
  const onEdge = (edge: Edge): void => {
    if (!told.has(edge)) order.onInterval?.(edge)
    told.add(edge)
  }
  const start = (name: string, args: string[]): LocustProcess =>
    new LocustProcess({ name, program, args, home: order.outDir, onLog: order.onLog, onEdge })
  const master = start('master', masterArgs(order, port))
  const workers = Array.from({ length: order.workers }, (_, index) => start(`worker ${index + 1}`, workerArgs(port)))
  try {
    const measured = Promise.all(workers.map(worker => worker.measured()))
    const [intervals] = await unlessAborted(order.signal, Promise.all([measured, master.ended()]))
    await seeAllUsers(order, intervals)
    return await figuresOf(order, intervals)
  } finally {
    await Promise.all([master, ...workers].map(one => one.stop()))
  }
}

/** Locust goes on without the users of a worker that has fallen silent, and says nothing in its figures. */
async function seeAllUsers({ outDir, users }: LocustOptions, intervals: WorkerInterval[]): Promise<void> {
  const file = `${csvPrefix(outDir)}_stats_history.csv`
  const cut = { from: Math.max(...intervals.map(({ from }) => from)), to: Math.min(...intervals.map(({ to }) => to)) }
  const fewest = minimumUsers(await readCsv(file), file, cut)
  if (fewest !== users) throw new BenchError('child_died', `Locust had ${fewest} of ${users} users in its interval`)
}

async function figuresOf({ outDir }: LocustOptions, intervals: WorkerInterval[]): Promise<LocustFigures> {
  const file = `${csvPrefix(outDir)}_stats.csv`
  const csv = await readCsv(file)
  return { ...mergeIntervals(intervals), row: intervalRow(csv, file), wholeRow: wholeRow(csv, file) }
}

/** As `work`, or throws the signal's reason as soon as it comes. */
async function unlessAborted<Result>(signal: AbortSignal | undefined, work: Promise<Result>): Promise<Result> {
  if (!signal) return work
  let hear = (): void => undefined
  const abort = new Promise<void>(resolve => {
    hear = resolve
    signal.addEventListener('abort', hear)
  })
  await Promise.race([work, abort])
  signal.removeEventListener('abort', hear)
  signal.throwIfAborted()
  return work
}
