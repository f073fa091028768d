import { mkdir } from 'node:fs/promises'
import { unlessAborted } from '../../abort.js'
import { BenchError } from '../errors.js'
import { csvPrefix, findLocust, freePort, loadWorkerArgs, type LocustOptions, masterArgs } from './commands.js'
import { minimumUsers, readCsv, wholeRow, type IntervalRow, intervalRow } from './figures.js'
import { type MergedIntervals, mergeIntervals } from './merge.js'
import { type Edge, LocustProcess, type LocustWorkerInterval } from './process.js'

export interface LocustFigures extends MergedIntervals {
  /** the interval as Locust's CSV has it: its latencies, and counts that the load workers' must equal */
  row: IntervalRow
  /** all requests as Locust's CSV has them */
  wholeRow: Pick<IntervalRow, 'requests' | 'failures'>
}

/**
 * Runs a Locust master with its load workers against a target and resolves to the figures of the measured interval.
 *
 * The interval is cut by what the requests are called (load/locustfile.py): Locust's percentiles are over one name, while
 * `--reset-stats` would cut when the users are there, warm or not, and the history only has the last ten seconds'.
 * @throws BenchError `program_missing`, `port_in_use`, `start_failed`, `child_died` when a process ended early or users
 * were missing, `bad_results` when Locust's files do not say what they should
 */
export async function runLocust(order: LocustOptions): Promise<LocustFigures> {
  const { signal = new AbortController().signal } = order
  signal.throwIfAborted()
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
  const loadWorkers = Array.from({ length: order.loadWorkers }, (_, index) =>
    start(`load worker ${index + 1}`, loadWorkerArgs(port))
  )
  try {
    const measured = Promise.all(loadWorkers.map(one => one.measured()))
    const [intervals] = await unlessAborted(signal, Promise.all([measured, master.ended()]))
    await seeAllUsers(order, intervals)
    return await figuresOf(order, intervals)
  } finally {
    await Promise.all([master, ...loadWorkers].map(one => one.stop()))
  }
}

/** Locust goes on without the users of a load worker that has fallen silent, and says nothing in its figures. */
async function seeAllUsers({ outDir, users }: LocustOptions, intervals: LocustWorkerInterval[]): Promise<void> {
  const file = `${csvPrefix(outDir)}_stats_history.csv`
  const cut = { from: Math.max(...intervals.map(({ from }) => from)), to: Math.min(...intervals.map(({ to }) => to)) }
  const fewest = minimumUsers(await readCsv(file), file, cut)
  if (fewest !== users) throw new BenchError('child_died', `Locust had ${fewest} of ${users} users in its interval`)
}

async function figuresOf({ outDir }: LocustOptions, intervals: LocustWorkerInterval[]): Promise<LocustFigures> {
  const file = `${csvPrefix(outDir)}_stats.csv`
  const csv = await readCsv(file)
  return { ...mergeIntervals(intervals), row: intervalRow(csv, file), wholeRow: wholeRow(csv, file) }
}
