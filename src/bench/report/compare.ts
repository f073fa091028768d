import { type Row, tableRows } from '../analysis/figures.js'
import { deviation, type Estimate, mean, tInterval } from '../analysis/statistics.js'
import type { Cell } from '../results/cell.schema.js'
import { openRun, type StoredRun } from '../results/store.js'
import { digits, figure, markdownTable, twoPlaces } from './format.js'

/** Smallest change that counts: machines of this kind wander by more than a few percent between two runs. */
const LESS_RPS = 0.05
const MORE_P99 = 0.1
const MORE_FAILURES = 0.01

export interface Comparison {
  /** Markdown */
  text: string
  /** whether a cell of the second run is worse than chance explains */
  regressed: boolean
}

/**
 * Compares two folders of results cell by cell. A cell has regressed when its throughput fell by more than 5 % and the
 * intervals do not touch, when its P99 rose by more than 10 % and the intervals do not touch, or when its failures rose by
 * more than a hundredth of a percentage point.
 * @throws BenchError `bad_results` when one is no folder of results
 */
export async function compareRuns(before: string, after: string): Promise<Comparison> {
  const [first, second] = await Promise.all([openRun(before), openRun(after)])
  const rows = new Map(tableRows(second.cells).map(row => [place(row), row]))
  const pairs = tableRows(first.cells).flatMap(row => {
    const other = rows.get(place(row))
    return other ? [[row, other] as const] : []
  })
  const verdicts = pairs.map(([a, b]) => findings(a, b))
  const regressed = verdicts.some(found => found.length > 0)
  return { text: render({ first, second, names: [before, after] }, pairs, verdicts), regressed }
}

function place({ phase, replicas, users, workers }: Row): string {
  return [phase, replicas, users, workers].join('/')
}

/** What has become worse; empty when nothing has. */
function findings(before: Row, after: Row): string[] {
  const found: string[] = []
  const [rpsBefore, rpsAfter] = [throughput(before), throughput(after)]
  if (rpsAfter.median < rpsBefore.median * (1 - LESS_RPS) && rpsAfter.interval![1] < rpsBefore.interval![0]) {
    found.push('throughput fell')
  }
  if (before.p99Ms && after.p99Ms && after.p99Ms.median > before.p99Ms.median * (1 + MORE_P99)) {
    if (low(after.p99Ms) > high(before.p99Ms)) found.push('P99 rose')
  }
  if (after.failurePercent.median > before.failurePercent.median + MORE_FAILURES) found.push('failures rose')
  return found
}

/** With one repeat the interval is that of its whole seconds, whose neighbours are taken together to be independent. */
function throughput({ rps, cells }: Row): { median: number; interval: [number, number] } {
  if (rps.interval) return { median: rps.median, interval: rps.interval }
  const blocks = blockMeans(cells[0]!)
  const half = halfWidth(blocks)
  return { median: rps.median, interval: [rps.median - half, rps.median + half] }
}

/** Seconds of one block: throughput of neighbouring seconds goes together, that of blocks hardly does. */
const BLOCK_S = 5

function blockMeans({ load: { perSecond } }: Cell): number[] {
  const blocks: number[] = []
  for (let from = 0; from + BLOCK_S <= perSecond.length; from += BLOCK_S) {
    blocks.push(mean(perSecond.slice(from, from + BLOCK_S)))
  }
  return blocks.length >= 2 ? blocks : perSecond
}

function halfWidth(values: readonly number[]): number {
  const interval = tInterval(values)
  return interval ? (interval[1] - interval[0]) / 2 : deviation(values)
}

const low = ({ median, interval }: Estimate): number => interval?.[0] ?? median
const high = ({ median, interval }: Estimate): number => interval?.[1] ?? median

interface Compared {
  first: StoredRun
  second: StoredRun
  names: [string, string]
}

function render(runs: Compared, pairs: readonly (readonly [Row, Row])[], verdicts: readonly string[][]): string {
  const rows = pairs.map(([a, b], index) => [
    ...[place(a), interval(throughput(a)), interval(throughput(b)), change(a.rps.median, b.rps.median)],
    ...[figure(a.p99Ms), figure(b.p99Ms), a.p99Ms && b.p99Ms ? change(a.p99Ms.median, b.p99Ms.median) : ''],
    ...[`${twoPlaces(a.failurePercent.median)} -> ${twoPlaces(b.failurePercent.median)}`],
    verdicts[index]!.join(', ') || 'no regression'
  ])
  const regressed = verdicts.filter(found => found.length > 0).length
  return [
    `${runs.names[0]} against ${runs.names[1]}: ${pairs.length} cells in both, ${regressed} regressed.`,
    ...differences(runs),
    ...(pairs.length > 0 ? [markdownTable(COLUMNS, rows)] : [])
  ].join('\n\n')
}

const COLUMNS = ['cell', 'RPS A', 'RPS B', 'change', 'P99 A (ms)', 'P99 B (ms)', 'change', 'failures (%)', 'verdict']

/** Conditions that differ: then a difference of figures may be theirs. */
function differences({ first, second }: Compared): string[] {
  const conditions = ({ run }: StoredRun): Record<string, unknown> => {
    const { cpu, cores, kernel, node, onnxruntime, haproxy, modelDigest, payloadDigest, commit } = run.fingerprint
    const { steps, target, generator, quick } = run
    const machine = { cpu, cores, kernel, node, onnxruntime, haproxy, modelDigest, payloadDigest, commit }
    return { ...machine, steps, target, generator, quick }
  }
  const after = conditions(second)
  const different = Object.entries(conditions(first)).filter(([name, value]) => value !== after[name])
  const lines = different.map(([name, value]) => `- ${name}: ${String(value)} -> ${String(after[name])}`)
  return lines.length === 0 ? [] : ['Not measured under the same conditions:', lines.join('\n')]
}

function interval({ median, interval }: { median: number; interval: [number, number] }): string {
  return `${digits(median)} [${digits(interval[0])}, ${digits(interval[1])}]`
}

function change(before: number, after: number): string {
  if (before === 0) return ''
  const percent = (after / before - 1) * 100
  return `${percent >= 0 ? '+' : ''}${percent.toFixed(1)} %`
}
