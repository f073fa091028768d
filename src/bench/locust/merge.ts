import { sum } from '../analysis/figures.js'
import { addCounts, emptyCounts } from '../samples/tally.js'
import type { Cell, LoadFigures } from '../results/cell.schema.js'
import type { WorkerWindow } from './process.js'

/** What all load workers counted together, in the fields of results/cell.schema.ts. */
export interface MergedWindows extends Omit<LoadFigures, 'lost' | 'latencyUs' | 'latencyMs'> {
  /** good answers in each of the equal parts of the warm-up */
  warmUp: number[]
  /** the load workers over the window, without the master */
  generator: Cell['generator']
}

export function mergeWindows(workers: readonly WorkerWindow[]): MergedWindows {
  const windows = workers.map(({ window }) => window)
  const counts = emptyCounts()
  for (const { statuses, errors, checked, mismatched } of windows) {
    addCounts(counts, { ...emptyCounts(), statuses, errors, checked, mismatched })
  }
  const { statuses, errors, checked, mismatched } = counts
  const over = (of: (worker: WorkerWindow) => number): number => sum(workers.map(of))
  return {
    ...{ statuses, errors, checked, mismatched, completed: sum(Object.values(statuses)) },
    elapsedMs: over(({ window }) => window.elapsedMs) / workers.length,
    perSecond: addUp(windows.map(({ perSecond }) => perSecond)),
    connections: windows.map(({ users }) => users),
    warmUp: addUp(workers.map(({ warmUp }) => warmUp)),
    whole: {
      ok: over(({ whole }) => whole.ok),
      completed: over(({ whole }) => whole.completed),
      errors: over(({ whole }) => whole.errors),
      lost: over(({ whole }) => whole.lost)
    },
    generator: {
      processes: workers.length,
      cpuSeconds: over(({ cpuSeconds }) => cpuSeconds),
      rssBytes: over(({ rssBytes }) => rssBytes),
      eventLoopP99Ms: Math.max(...windows.map(({ lagP99Ms }) => lagP99Ms))
    }
  }
}

/** Place by place, as far as all of them go. */
function addUp(lists: readonly number[][]): number[] {
  const length = Math.min(...lists.map(list => list.length))
  return Array.from({ length }, (_, place) => sum(lists.map(list => list[place]!)))
}
