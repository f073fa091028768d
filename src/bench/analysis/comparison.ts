import { mergeLatency } from '../samples/latency.js'
import { type Row, tableRows } from './figures.js'
import { failedOf, sentOf, sum } from '../samples/answers.js'
import { mean, tInterval, Z_975 } from './statistics.js'
import type { Cell } from '../results/cell.schema.js'

/** What makes a difference a regression, beside the intervals being apart. */
export const THRESHOLDS = { rpsDrop: 0.05, p99Rise: 0.2 } as const

/** A figure with its 95 % interval. */
export interface MeasuredFigure {
  value: number
  interval: [low: number, high: number]
}

/** One cell of both runs. */
export interface Pair {
  before: Row
  after: Row
  rps: [before: MeasuredFigure, after: MeasuredFigure]
  /** null where one of them has too few samples, or is a single repeat by Locust, whose interval is not known */
  p99Ms: [before: MeasuredFigure, after: MeasuredFigure] | null
  failures: [before: Share, after: Share]
  /** in words; empty when nothing got worse */
  regressions: string[]
}

/** `part` of `all` requests. */
export interface Share {
  part: number
  all: number
}

export interface Comparison {
  pairs: Pair[]
  /** lines of the tables that only one of the runs has, or that it measured with another think time */
  onlyBefore: Row[]
  onlyAfter: Row[]
}

/** Compares the cells that two runs have in common. */
export function compareCells(before: readonly Cell[], after: readonly Cell[]): Comparison {
  const [rowsBefore, rowsAfter] = [tableRows(before), tableRows(after)]
  const afterByPlace = new Map(rowsAfter.map(row => [placeOf(row), row]))
  const placesBefore = new Set(rowsBefore.map(placeOf))
  const pairs = rowsBefore.flatMap(row => {
    const other = afterByPlace.get(placeOf(row))
    return other ? [toPair(row, other)] : []
  })
  return {
    pairs,
    onlyBefore: rowsBefore.filter(row => !afterByPlace.has(placeOf(row))),
    onlyAfter: rowsAfter.filter(row => !placesBefore.has(placeOf(row)))
  }
}

const placeOf = ({ phase, loadWorkers, replicas, users, thinkMs }: Row): string =>
  [phase, loadWorkers, replicas, users, thinkMs].join('/')

function toPair(before: Row, after: Row): Pair {
  const rps: Pair['rps'] = [throughput(before), throughput(after)]
  const [p99Before, p99After] = [p99(before), p99(after)]
  const p99Ms: Pair['p99Ms'] = p99Before && p99After && [p99Before, p99After]
  const failures: Pair['failures'] = [failed(before), failed(after)]
  const regressions = [
    ...(isApart(rps[1], rps[0]) && change(rps) < -THRESHOLDS.rpsDrop ? ['RPS lower'] : []),
    ...(p99Ms && isApart(p99Ms[0], p99Ms[1]) && change(p99Ms) > THRESHOLDS.p99Rise ? ['P99 higher'] : []),
    ...(hasRisen(...failures) ? ['more failures'] : [])
  ]
  return { before, after, rps, p99Ms, failures, regressions }
}

/** Relative change, 0.1 being 10 % more. */
export const change = ([before, after]: readonly [MeasuredFigure, MeasuredFigure]): number =>
  after.value / before.value - 1

/** Whether all of the lower's interval is below all of the higher's. */
const isApart = (lower: MeasuredFigure, higher: MeasuredFigure): boolean => lower.interval[1] < higher.interval[0]

/** Seconds of one block: throughput of neighbouring seconds goes together, that of blocks hardly does. */
const BLOCK_S = 5

/** Over the repeats; of a single one, over blocks of its seconds. */
function throughput({ cells, rps }: Row): MeasuredFigure {
  const interval = rps.interval ?? tInterval(blockMeans(cells[0]!)) ?? [rps.median, rps.median]
  return { value: rps.median, interval }
}

function blockMeans({ load: { perSecond } }: Cell): readonly number[] {
  const blocks: number[] = []
  for (let from = 0; from + BLOCK_S <= perSecond.length; from += BLOCK_S) {
    blocks.push(mean(perSecond.slice(from, from + BLOCK_S)))
  }
  return blocks.length >= 2 ? blocks : perSecond
}

/**
 * Over the repeats; of a single one, the order statistics between which the percentile lies with 95 % probability,
 * whatever the distribution (Conover, Practical Nonparametric Statistics, 3.2): ranks np ± 1.96 √(np(1 - p)).
 * Locust's single repeat has neither: null.
 */
function p99({ cells, p99Ms }: Row): MeasuredFigure | null {
  if (!p99Ms) return null
  if (p99Ms.interval) return { value: p99Ms.median, interval: p99Ms.interval }
  const { latencyUs } = cells[0]!.load
  if (latencyUs === null) return null
  const latency = mergeLatency([latencyUs])
  const half = Z_975 * Math.sqrt((0.99 * 0.01) / latency.totalCount)
  const at = (share: number): number => latency.getValueAtPercentile(Math.min(100, 100 * share)) / 1000
  return { value: p99Ms.median, interval: [at(0.99 - half), at(0.99 + half)] }
}

/** Failures of all repeats together. */
function failed({ cells }: Row): Share {
  const loads = cells.map(({ load }) => load)
  return { part: sum(loads.map(failedOf)), all: sum(loads.map(sentOf)) }
}

/** Whether the share has risen by more than chance explains (two-proportion z-test, pooled, 5 % two-sided). */
function hasRisen(before: Share, after: Share): boolean {
  if (before.all === 0 || after.all === 0) return before.all > after.all
  const pooled = (before.part + after.part) / (before.all + after.all)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / before.all + 1 / after.all))
  return after.part / after.all - before.part / before.all > Z_975 * error
}
