import { mergeLatency } from '../samples/latency.js'
import { failurePercent, forecastsOf, goodOf, MINIMUM_SAMPLES } from '../samples/answers.js'
import type { Cell, LoadFigures, PlannedCell } from '../results/cell.schema.js'
import { type Estimate, estimate } from './statistics.js'

/** What a table shows of one cell. A percentile is null when it has too few samples to be one. */
export interface CellFigures {
  /** good answers: 2xx, with a forecast for every window, and not found wrong */
  good: number
  /** good answers a second */
  rps: number
  /** windows in good answers, and of others those with a forecast */
  forecasts: number
  /** such windows a second */
  forecastsPerSecond: number
  /** 0 without an answer */
  meanMs: number
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
  /** 0 to 100 */
  failurePercent: number
}

export function cellFigures({ load }: Cell): CellFigures {
  const good = goodOf(load)
  const forecasts = forecastsOf(load)
  return {
    good,
    rps: good / (load.elapsedMs / 1000),
    forecasts,
    forecastsPerSecond: forecasts / (load.elapsedMs / 1000),
    ...latencyFigures(load),
    failurePercent: failurePercent([load])
  }
}

/** From the histogram; from Locust's own figures where there is none. */
export function latencyFigures({
  latencyUs,
  latencyMs
}: Pick<LoadFigures, 'latencyUs' | 'latencyMs'>): Pick<CellFigures, 'meanMs' | 'p50Ms' | 'p95Ms' | 'p99Ms'> {
  if (latencyUs === null) {
    const { mean = null, median = null, p95 = null, p99 = null } = latencyMs ?? {}
    return { meanMs: mean ?? 0, p50Ms: median, p95Ms: p95, p99Ms: p99 }
  }
  const latency = mergeLatency([latencyUs])
  const percentile = (percent: number, minimum: number): number | null =>
    latency.totalCount < minimum ? null : latency.getValueAtPercentile(percent) / 1000
  return {
    meanMs: latency.mean / 1000,
    p50Ms: percentile(50, MINIMUM_SAMPLES.p50),
    p95Ms: percentile(95, MINIMUM_SAMPLES.p95),
    p99Ms: percentile(99, MINIMUM_SAMPLES.p99)
  }
}

/** Users that a throughput keeps busy: throughput x (latency + think time), Little 1961. */
export function usersByLittle(rps: number, latencyMs: number, thinkMs: number): number {
  return (rps * (latencyMs + thinkMs)) / 1000
}

/** All repeats of one cell, as a line of a table. */
export interface Row extends Pick<PlannedCell, 'phase' | 'replicas' | 'users' | 'thinkMs' | 'durationMs'> {
  loadWorkers: number
  cells: Cell[]
  rps: Estimate
  forecastsPerSecond: Estimate
  p50Ms: Estimate | null
  p95Ms: Estimate | null
  p99Ms: Estimate | null
  failurePercent: Estimate
}

/** Lines by phase, then load workers, replicas and users. */
export function tableRows(cells: readonly Cell[]): Row[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const { phase, replicas, users, workers } = cell.plan
    const place = [phase, workers, replicas, users].join('/')
    groups.set(place, [...(groups.get(place) ?? []), cell])
  }
  return [...groups.values()].map(toRow).toSorted(byPlace)
}

function toRow(cells: Cell[]): Row {
  const { phase, replicas, users, workers: loadWorkers, thinkMs, durationMs } = cells[0]!.plan
  const figures = cells.map(cellFigures)
  const over = (of: (figures: CellFigures) => number | null): Estimate | null => {
    const values = figures.map(of)
    return values.every(value => value !== null) ? estimate(values) : null
  }
  return {
    phase,
    replicas,
    users,
    loadWorkers,
    thinkMs,
    durationMs,
    cells,
    rps: estimate(figures.map(({ rps }) => rps)),
    forecastsPerSecond: estimate(figures.map(({ forecastsPerSecond }) => forecastsPerSecond)),
    p50Ms: over(({ p50Ms }) => p50Ms),
    p95Ms: over(({ p95Ms }) => p95Ms),
    p99Ms: over(({ p99Ms }) => p99Ms),
    failurePercent: estimate(figures.map(({ failurePercent }) => failurePercent))
  }
}

/**
 * Whether the load was the limit, by the users' pauses or by its generator: then the throughput says nothing of what the servers
 * can do.
 */
export function isLoadLimited(row: Pick<Row, 'cells'>): boolean {
  return isLimitedBy(row, 'think time', 'generator')
}

/** Checks that a cell may fail whose figures still say something of the servers. */
const HARMLESS: ReadonlySet<string> = new Set(['steady', 'samples'])

/** Whether a repeat failed a check without which its figures say nothing of the servers. */
export function isDoubtful({ cells }: Pick<Row, 'cells'>): boolean {
  return cells.some(({ checks }) => checks.some(({ name, ok }) => !ok && !HARMLESS.has(name)))
}

/** Whether one of these was the limit in each repeat. */
export function isLimitedBy({ cells }: Pick<Row, 'cells'>, ...limits: Cell['limiter']['what'][]): boolean {
  return cells.every(({ limiter }) => limits.includes(limiter.what))
}

/** In the order of the phases in the report. */
const PHASES: Row['phase'][] = ['1', '2', 'custom', 'standalone']

function byPlace(a: Row, b: Row): number {
  return (
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    a.loadWorkers - b.loadWorkers ||
    a.replicas - b.replicas ||
    a.users - b.users
  )
}
