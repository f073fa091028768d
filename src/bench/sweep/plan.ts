import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { PlannedCell } from '../results/cell.schema.js'
import type { SweepOptions, WarmUp } from '../options.js'

/** Load workers of the report's two phases. */
const PHASES: Record<number, PlannedCell['phase']> = { 4: '1', 8: '2' }

/** The report's earlier table: 40 users, a minute a cell. */
const STANDALONE = { replicas: [1, 2, 4], users: 40, workers: 4, durationMs: 60_000 } as const

/** What `--quick` measures in each cell: enough for a P99, not for a claim. */
const QUICK_MS = 8_000

/**
 * The cells of a sweep in the order in which they are run: phase after phase, within a phase in a random order that the
 * seed decides, so that a drift of the machine falls on no replica count in particular.
 */
export function planCells(options: SweepOptions): PlannedCell[] {
  const phases: PlannedCell[][] = []
  if (options.preset !== 'standalone') {
    for (const loadWorkers of options.loadWorkers) phases.push(matrix(options, loadWorkers))
  }
  if (options.preset !== 'matrix') phases.push(standalone(options))
  return phases.flatMap((cells, index) => shuffled(cells, options.seed + index))
}

/** Length of a sweep at the most, in ms: every warm-up up to its cap. */
export function longest(cells: readonly PlannedCell[], options: Pick<SweepOptions, 'warmUp'>): number {
  return cells.reduce((total, cell) => {
    const { intervalMs, most } = warmUpOf(cell, options)
    return total + cell.durationMs + intervalMs * most
  }, 0)
}

/**
 * The warm-up of a cell: its intervals are whole pauses of the users, each of whom comes once in a pause. In 3 s of users who pause
 * for 2.5 s some come once and some twice, in one interval more than in the next.
 */
export function warmUpOf({ thinkMs }: PlannedCell, { warmUp }: Pick<SweepOptions, 'warmUp'>): WarmUp {
  return thinkMs === 0 ? warmUp : { ...warmUp, intervalMs: Math.ceil(warmUp.intervalMs / thinkMs) * thinkMs }
}

function matrix(options: SweepOptions, loadWorkers: number): PlannedCell[] {
  const phase = PHASES[loadWorkers] ?? 'custom'
  const durationMs = options.durationMs ?? (options.quick ? QUICK_MS : 120_000)
  return options.replicas.flatMap(replicas =>
    options.users.flatMap(users => repeats(options, { phase, replicas, users, workers: loadWorkers, durationMs }))
  )
}

function standalone(options: SweepOptions): PlannedCell[] {
  const { users, workers } = STANDALONE
  const durationMs = options.durationMs ?? (options.quick ? QUICK_MS : STANDALONE.durationMs)
  return STANDALONE.replicas.flatMap(replicas =>
    repeats(options, { phase: 'standalone', replicas, users, workers, durationMs })
  )
}

function repeats(options: SweepOptions, cell: Omit<PlannedCell, 'key' | 'repeat' | 'thinkMs'>): PlannedCell[] {
  const { phase, replicas, users, workers } = cell
  return Array.from({ length: options.repeats }, (_, index) => {
    const repeat = index + 1
    return { ...cell, key: [phase, replicas, users, workers, repeat].join('/'), repeat, thinkMs: options.thinkMs }
  })
}

/** Fisher and Yates, with a seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = xoroshiro128plus(seed)
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last)
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}
