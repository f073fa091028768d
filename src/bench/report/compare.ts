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
import type { Run } from '../results/run.schema.js'
import { openRun } from '../results/store.js'
import { counted, digits, markdownTable, notes, percent } from './format.js'

/** What two runs come to beside each other. */
export interface RunComparison {
  /** Markdown, to be printed */
  text: string
  /** whether any cell got worse, as the text defines it, or has not been measured in the second run */
  regressed: boolean
}

/** Conditions under which figures of two runs say something about the service alone. */
const CONDITIONS = ['cpu', 'cores', 'memoryBytes', 'balance', 'maxconn', 'modelDigest', 'payloadDigest'] as const
/** What a comparison is usually about. */
const VERSIONS = ['kernel', 'node', 'onnxruntime', 'haproxy', 'modelVersion', 'commit', 'dirty'] as const

/**
 * Compares two folders of results, cell by cell.
 * @throws BenchError `bad_results` when one of them is not a folder of results, or when no cell is in both
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
    `A regression is a drop of RPS by more than ${percent(THRESHOLDS.rpsDrop)} or a rise of P99 by more than ${percent(THRESHOLDS.p99Rise)} whose 95 % intervals are apart as well, or more failures than chance explains. Intervals are over repeats; with one repeat, over blocks of five seconds of the cell (RPS) and over the ranks of its latencies (P99).`,
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
    String(before.workers),
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

/** Once where both runs say the same. */
function noteTexts(before: Row, after: Row): string {
  return [...new Set([notes(before.cells), notes(after.cells)])].join(' / ')
}

/** What else than the service may be the reason of a difference, first. */
export function differences(before: Run, after: Run): string[] {
  const one = (name: string, was: unknown, is: unknown): string[] =>
    was === is ? [] : [`${name} ${String(was)} to ${String(is)}`]
  const fingerprint = (names: readonly (keyof Run['fingerprint'])[]): string[] =>
    names.flatMap(name => one(name, before.fingerprint[name], after.fingerprint[name]))
  const conditions = [
    ...fingerprint(CONDITIONS),
    ...(['target', 'generator', 'steps', 'quick'] as const).flatMap(name => one(name, before[name], after[name]))
  ]
  const versions = fingerprint(VERSIONS)
  return [
    conditions.length > 0
      ? `**Not comparable as they stand**, the runs differ in more than the service: ${conditions.join('; ')}.`
      : '',
    versions.length > 0 ? `Changed: ${versions.join('; ')}.` : ''
  ].filter(text => text !== '')
}

function onlyInOne({ onlyBefore, onlyAfter }: Comparison): string[] {
  const list = (name: string, rows: readonly Row[]): string[] =>
    rows.length === 0
      ? []
      : [
          `Only in the ${name} run, not compared: ${rows.map(({ phase, workers, replicas, users, thinkMs }) => `phase ${phase}, ${workers} load workers, ${replicas} replicas, ${users} users, think time ${thinkMs} ms`).join('; ')}.`
        ]
  return [...list('first', onlyBefore), ...list('second', onlyAfter)]
}
