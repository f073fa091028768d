import {
  change,
  type Comparison,
  compareCells,
  type MeasuredFigure,
  type Pair,
  type Share,
  THRESHOLDS
} from '../analysis/comparison.js'
import type { Row } from '../analysis/figures.js'
import { BenchError } from '../errors.js'
import { callForm } from '../results/calls.js'
import type { Run } from '../results/run.schema.js'
import { openRun } from '../results/store.js'
import { counted, digits, markdownTable, notes, percent } from './format.js'

/** Two runs beside each other. */
export interface RunComparison {
  /** Markdown, to be printed */
  text: string
  /** whether a cell regressed, or was not measured in the second run */
  regressed: boolean
}

/** What must be the same in both runs. Otherwise a difference of figures says nothing about the service alone. */
const CONDITIONS = ['cpu', 'cores', 'memoryBytes', 'balance', 'maxconn', 'modelDigest', 'payloadDigest'] as const
const RUN_CONDITIONS = ['target', 'generator', 'steps', 'quick'] as const
const CALL_CONDITIONS = ['protocol', 'windows'] as const
/** What usually differs between two runs that are compared. */
const VERSIONS = ['kernel', 'node', 'onnxruntime', 'haproxy', 'modelVersion', 'commit', 'dirty'] as const

/**
 * Compares two folders of results, cell by cell.
 * @throws BenchError `bad_results` for a folder that holds no results, or where no cell is in both folders
 */
export async function compareRuns(before: string, after: string): Promise<RunComparison> {
  const [a, b] = [await openRun(before), await openRun(after)]
  const comparison = compareCells(a.cells, b.cells)
  if (comparison.pairs.length === 0)
    throw new BenchError('bad_results', `${before} and ${after} have no cell in common`)
  const worse = comparison.pairs.filter(({ regressions }) => regressions.length > 0)
  const missing = comparison.onlyBefore.length
  const verdict = [
    worse.length === 0
      ? `No regression in ${comparison.pairs.length} cells.`
      : `**Regression in ${worse.length} of ${comparison.pairs.length} cells.**`,
    ...(missing === 0
      ? []
      : [`**${counted(missing, 'row')} of the first run ${missing === 1 ? 'is' : 'are'} missing in the second.**`])
  ].join(' ')
  const text = [
    `# ${before} against ${after}`,
    ...differences(a.run, b.run),
    markdownTable(COLUMNS, comparison.pairs.map(pairTexts)),
    ...onlyInOne(comparison),
    `A regression is one of three changes. RPS falls by more than ${percent(THRESHOLDS.rpsDrop)}. P99 rises by more than ${percent(THRESHOLDS.p99Rise)}. More requests fail than chance explains. A change of RPS or P99 counts only where the 95 % intervals of both runs are apart. The intervals are over the repeats of a cell. With one repeat, the interval of RPS is over blocks of five seconds. The interval of P99 is then over the ranks of the latencies.`,
    verdict
  ]
  return { text: `${text.join('\n\n')}\n`, regressed: worse.length > 0 || missing > 0 }
}

const COLUMNS = [
  'Phase',
  'Load workers',
  'Inference Replicas',
  'Users',
  'RPS (req/s)',
  'Change',
  'P99 (ms)',
  'Change',
  'Failures (%)',
  'Verdict',
  'Notes'
]

function pairTexts({ before, after, rps, p99Ms, failures, regressions }: Pair): string[] {
  return [
    before.phase,
    String(before.loadWorkers),
    String(before.replicas),
    String(before.users),
    ...measuredTexts(rps),
    ...(p99Ms ? measuredTexts(p99Ms) : ['', '']),
    failures.map(shareText).join(' to '),
    regressions.join(', ') || 'no regression',
    noteTexts(before, after)
  ]
}

function measuredTexts(pair: readonly [MeasuredFigure, MeasuredFigure]): [figures: string, change: string] {
  const text = ({ value, interval: [low, high] }: MeasuredFigure): string =>
    `${digits(value)} [${digits(low)}, ${digits(high)}]`
  const relative = 100 * change(pair)
  return [
    pair.map(text).join(' to '),
    Number.isFinite(relative) ? `${relative > 0 ? '+' : ''}${relative.toFixed(1)} %` : ''
  ]
}

const shareText = ({ part, all }: Share): string => (all === 0 ? '' : ((100 * part) / all).toFixed(2))

/** The notes of both runs; notes that are the same in both appear once. */
function noteTexts(before: Row, after: Row): string {
  return [...new Set([notes(before.cells), notes(after.cells)])].join(' / ')
}

/** Texts about what differs between two runs: first the conditions beside the service, then the versions. */
export function differences(before: Run, after: Run): string[] {
  const one = (name: string, was: unknown, is: unknown): string[] =>
    was === is ? [] : [`${name} ${String(was)} to ${String(is)}`]
  const fingerprint = (names: readonly (keyof Run['fingerprint'])[]): string[] =>
    names.flatMap(name => one(name, before.fingerprint[name], after.fingerprint[name]))
  const [callsBefore, callsAfter] = [callForm(before), callForm(after)]
  const conditions = [
    ...fingerprint(CONDITIONS),
    ...CALL_CONDITIONS.flatMap(name => one(name, callsBefore[name], callsAfter[name])),
    ...RUN_CONDITIONS.flatMap(name => one(name, before[name], after[name]))
  ]
  const versions = fingerprint(VERSIONS)
  return [
    conditions.length > 0
      ? `**The runs are not comparable.** Conditions beside the service differ: ${conditions.join('; ')}.`
      : '',
    versions.length > 0 ? `Changed: ${versions.join('; ')}.` : ''
  ].filter(text => text !== '')
}

function onlyInOne({ onlyBefore, onlyAfter }: Comparison): string[] {
  const list = (name: string, rows: readonly Row[]): string[] =>
    rows.length === 0
      ? []
      : [`Only the ${name} run measured these rows, which are not compared: ${rows.map(placeText).join('; ')}.`]
  return [...list('first', onlyBefore), ...list('second', onlyAfter)]
}

function placeText({ phase, loadWorkers, replicas, users, thinkMs }: Row): string {
  return `phase ${phase}, ${counted(loadWorkers, 'load worker')}, ${counted(replicas, 'replica')}, ${counted(users, 'user')}, think time ${thinkMs} ms`
}
