import { sum, total } from '../samples/answers.js'
import { addCounts, emptyCounts } from '../samples/tally.js'
import type { Cell, LoadFigures } from '../results/cell.schema.js'
import type { LocustWorkerInterval } from './process.js'

/** What all load workers counted together, in the fields of results/cell.schema.ts. */
export interface MergedIntervals extends Omit<LoadFigures, 'lost' | 'latencyUs' | 'latencyMs'> {
  /** good answers in each of the equal parts of the warm-up */
  warmUp: number[]
  /** the load workers over the interval, without the master */
  generator: Cell['generator']
}

export function mergeIntervals(loadWorkers: readonly LocustWorkerInterval[]): MergedIntervals {
  const intervals = loadWorkers.map(({ interval }) => interval)
  const counts = emptyCounts()
  for (const { statuses, errors, checked, mismatched } of intervals) {
    addCounts(counts, { ...emptyCounts(), statuses, errors, checked, mismatched })
  }
  const { statuses, errors, checked, mismatched } = counts
  const over = (of: (one: LocustWorkerInterval) => number): number => sum(loadWorkers.map(of))
  return {
    statuses,
    errors,
    checked,
    mismatched,
    completed: total(statuses),
    elapsedMs: over(({ interval }) => interval.elapsedMs) / loadWorkers.length,
    perSecond: addUp(intervals.map(({ perSecond }) => perSecond)),
    connections: intervals.map(({ users }) => users),
    warmUp: addUp(loadWorkers.map(({ warmUp }) => warmUp)),
    whole: {
      ok: over(({ whole }) => whole.ok),
      completed: over(({ whole }) => whole.completed),
      errors: over(({ whole }) => whole.errors),
      lost: over(({ whole }) => whole.lost)
    },
    generator: {
      processes: loadWorkers.length,
      cpuSeconds: over(({ cpuSeconds }) => cpuSeconds),
      rssBytes: over(({ rssBytes }) => rssBytes),
      eventLoopP99Ms: Math.max(...intervals.map(({ lagP99Ms }) => lagP99Ms))
    }
  }
}

/** Place by place, as far as all of them go. */
function addUp(lists: readonly number[][]): number[] {
  const length = Math.min(...lists.map(list => list.length))
  return Array.from({ length }, (_, place) => sum(lists.map(list => list[place]!)))
}
