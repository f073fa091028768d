import { capacity, heldOutCpuError } from '../analysis/capacity.js'
import { type Curve, curves } from '../analysis/curves.js'
import { isDoubtful, isLoadLimited, type Row, tableRows } from '../analysis/figures.js'
import { keyMetrics } from '../analysis/key-metrics.js'
import {
  type Finding,
  growsLinearly,
  latencyFalls,
  moreLoadWorkersHelp,
  overall,
  returnsDiminish
} from '../analysis/patterns.js'
import { median } from '../analysis/statistics.js'
import { fitUsl, heldOutError, peak, type HeldOut, type Point } from '../analysis/usl.js'
import type { Cell } from '../results/cell.schema.js'
import type { Run } from '../results/run.schema.js'
import { details } from './details.js'
import { counted, digits, markdownTable, percent, twoPlaces } from './format.js'

/** Cores for which the capacity is estimated, beside those of the run's machine. */
const CORES = [1, 2, 4, 8, 16]

const BY_CURVE: [claim: string, judge: (curve: Curve) => Finding][] = [
  ['Throughput grows linearly until saturation', growsLinearly],
  ['Latency falls with replicas', latencyFalls],
  ['Diminishing returns past a point', returnsDiminish]
]

/** The section with the report's four expected patterns, its key metrics and a capacity estimate; none without a cell. */
export function analysisSection(run: Run, cells: readonly Cell[]): string[] {
  if (cells.length === 0) return []
  const rows = tableRows(cells)
  const all = curves(rows)
  return ['## Analysis', ...patternTexts(rows, all), ...keyMetricTexts(all), ...capacityTexts(run, cells, all)]
}

function patternTexts(rows: readonly Row[], all: readonly Curve[]): string[] {
  const judged = BY_CURVE.map(([claim, judge]) => ({ claim, findings: all.map(judge) }))
  const loadWorkers = moreLoadWorkersHelp(rows)
  return [
    '### The four expected patterns',
    markdownTable(
      ['pattern', 'answer', 'figures'],
      [
        ...judged.map(({ claim, findings }) => [claim, ...texts(overall(findings))]),
        ['8 load workers get more throughput than 4', ...texts(loadWorkers)]
      ]
    ),
    'A curve is one phase and one number of users over all replica counts.',
    markdownTable(
      ['curve', 'pattern', 'answer', 'figures'],
      all.flatMap(({ name }, index) => judged.map(({ claim, findings }) => [name, claim, ...texts(findings[index]!)]))
    )
  ]
}

const texts = ({ answer, figures }: Finding): [string, string] => [`**${answer}**`, figures]

function keyMetricTexts(all: readonly Curve[]): string[] {
  const phases = [...new Set(all.map(({ phase, loadWorkers }) => `${phase}/${loadWorkers}`))]
  const rows = phases.map(place => {
    const inPhase = all.filter(({ phase, loadWorkers }) => `${phase}/${loadWorkers}` === place)
    const { plateau, latencyFloor, failures, loadWorkers } = keyMetrics(inPhase)
    const sent = loadWorkers.answersPerCpuSecond
    return [
      inPhase[0]!.name.split(',')[0]!,
      plateau
        ? `${digits(plateau.rps)} req/s, from ${counted(plateau.replicas, 'replica')} on, ${plateau.users} users`
        : 'none: the load was the limit',
      latencyFloor
        ? `${digits(latencyFloor.ms)} ms, ${counted(latencyFloor.replicas, 'replica')}, ${latencyFloor.users} users`
        : '',
      `${twoPlaces(failures.percent)} %, worst cell ${twoPlaces(failures.worstPercent)} %`,
      `${digits(loadWorkers.rpsEach)} req/s each of ${inPhase[0]!.loadWorkers}${sent === null ? '' : `, ${digits(sent)} answers a CPU second`}`
    ]
  })
  return [
    '### Key metrics',
    markdownTable(['phase', 'RPS plateau', 'latency floor (median)', 'failure rate', 'load worker efficiency'], rows)
  ]
}

function capacityTexts(run: Run, cells: readonly Cell[], all: readonly Curve[]): string[] {
  if (run.target === null) {
    return [
      '### Capacity',
      'No capacity is estimated. The load generator, HAProxy and the replicas shared the cores of one machine. Such figures say nothing about servers with cores of their own.'
    ]
  }
  const fitted = all.map(({ name, rows }) => {
    const points: Point[] = rows
      .filter(row => !isLoadLimited(row) && !isDoubtful(row))
      .map(({ replicas, rps }) => ({ n: replicas, rps: rps.median }))
    return { name, fit: fitUsl(points), error: heldOutError(points) }
  })
  const known = fitted.flatMap(({ name, fit, error }) => (fit ? [{ name, fit, error }] : []))
  const fitRows = known.map(({ name, fit, error }) => {
    const top = peak(fit)
    const parameters = [digits(fit.lambda), fit.sigma.toFixed(3), fit.kappa.toFixed(4)]
    return [name, ...parameters, top === null ? '' : digits(top), errorText(error)]
  })
  return [
    '### Capacity (an estimate)',
    known.length === 0
      ? 'No capacity curve is fitted. The Universal Scalability Law needs three replica counts at which the servers were the limit. No curve has three.'
      : markdownTable(
          ['curve', 'lambda (req/s)', 'sigma', 'kappa', 'peak (replicas)', 'error on held-out cells'],
          fitRows
        ),
    ...coreTexts(
      run,
      cells,
      known.map(({ fit }) => fit)
    )
  ]
}

function coreTexts(run: Run, cells: readonly Cell[], fits: Parameters<typeof capacity>[2]): string[] {
  // While servers wait for load, their CPU goes into other things than answers.
  const loaded = cells.filter(cell => !isLoadLimited({ cells: [cell] }) && !isDoubtful({ cells: [cell] }))
  if (loaded.length === 0)
    return ['The load was the limit in every cell, so nothing is estimated for other numbers of cores.']
  const us = loaded.map(cell => details(cell).cpuPerAnswerUs).filter(value => value !== null)
  if (us.length === 0)
    return ["The servers' CPU could not be read, so nothing is estimated for other numbers of cores."]
  const cores = [...new Set([...CORES, run.fingerprint.cores])].toSorted((a, b) => a - b)
  const rows = cores.map(count => {
    const { most, least } = capacity(count, us, fits)
    return [String(count), least === null ? '' : digits(least), digits(most)]
  })
  return [
    `The table estimates the answers a second of servers that have the given cores to themselves. "At the most" means that every core gives as many answers as in this run. An answer costs the median CPU of replicas and HAProxy, ${digits(median(us))} us (${digits(Math.min(...us))} to ${digits(Math.max(...us))}). The error of this cost on held-out cells is ${errorText(heldOutCpuError(us)) || 'unknown'}.`,
    `"At the least" also applies the sigma and kappa of the curve that scales worst. Cores beyond the peak of that curve stay unused. Sigma and kappa come from replicas that shared ${run.fingerprint.cores} cores. So both include the cost of sharing.`,
    markdownTable(['cores', 'at the least (req/s)', 'at the most (req/s)'], rows)
  ]
}

const errorText = (error: HeldOut | null): string =>
  error ? `${percent(error.median)} (median), ${percent(error.worst)} (worst)` : ''
