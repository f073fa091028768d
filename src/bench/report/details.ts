import { cellFigures } from '../analysis/figures.js'
import { sum } from '../samples/answers.js'
import type { BucketCounts, Cell } from '../results/cell.schema.js'
import { digits, markdownTable, percent } from './format.js'

/** What the servers' side of one cell comes to. Seconds are CPU seconds; null where nobody could read it. */
export interface Details {
  /** CPU of each kind of process, in cores */
  cores: { replicas: number | null; haproxy: number | null; generator: number }
  /** CPU of replicas and HAProxy for one good answer, µs */
  cpuPerAnswerUs: number | null
  /** the same for one forecast */
  cpuPerForecastUs: number | null
  /** mean rows of a batch */
  batchRows: number | null
  /** mean wait for the model, ms */
  queueWaitMs: number | null
  /** share of each replica in their answers, 0 to 1 */
  shares: number[]
  /** of all replicas together */
  rssBytes: number | null
}

export function details(cell: Cell): Details {
  const { load, replicas, haproxy, generator } = cell
  const seconds = load.elapsedMs / 1000
  const cpu = allOf(replicas.map(({ cpuSeconds }) => cpuSeconds))
  const ok = sum(replicas.map(replica => replica.ok))
  const { good, forecasts } = cellFigures(cell)
  const serving = cpu === null ? null : cpu + (haproxy?.cpuSeconds ?? 0)
  const each = (count: number): number | null => (serving === null || count === 0 ? null : (serving / count) * 1e6)
  return {
    cores: {
      replicas: cpu === null ? null : cpu / seconds,
      haproxy: haproxy && haproxy.cpuSeconds / seconds,
      generator: generator.cpuSeconds / seconds
    },
    cpuPerAnswerUs: each(good),
    cpuPerForecastUs: each(forecasts),
    batchRows: meanOf(replicas.map(({ batchRows }) => batchRows)),
    queueWaitMs: timesThousand(meanOf(replicas.map(({ queueWaitSeconds }) => queueWaitSeconds))),
    shares: replicas.map(replica => (ok === 0 ? 0 : replica.ok / ok)),
    rssBytes: allOf(replicas.map(({ rssBytes }) => rssBytes))
  }
}

/** Section with a line a cell, and what each failed check saw. */
export function detailSection(cells: readonly Cell[]): string[] {
  const failed = cells.flatMap(({ plan, checks }) =>
    checks.filter(({ ok }) => !ok).map(({ name, detail }) => [plan.key, name, detail])
  )
  const limiters = cells.map(({ plan, limiter }) => [plan.key, limiter.what, limiter.evidence])
  return [
    '## Each cell in detail',
    'A cell is `phase/replicas/users/load workers/repeat`. CPU is in cores, over the measured interval. Rows a batch and wait are means over all replicas. Share is the smallest and the largest part of the answers that one replica gave.',
    detailTable(cells),
    '### Limiters and their evidence',
    markdownTable(['cell', 'limiter', 'evidence'], limiters),
    '### Checks that failed',
    failed.length === 0
      ? `None of ${sum(cells.map(({ checks }) => checks.length))}.`
      : markdownTable(['cell', 'check', 'what it saw'], failed)
  ]
}

const ANSWER_CPU = 'CPU an answer (us)'
const COLUMNS = [
  'cell',
  'CPU replicas',
  'CPU HAProxy',
  'CPU generator',
  'host busy',
  'steal',
  ANSWER_CPU,
  'rows a batch',
  'wait (ms)',
  'share',
  'retries',
  'queue max',
  'RSS replicas (MB)',
  'generator lag P99 (ms)',
  'checked'
]

/** The CPU of a forecast stands behind that of an answer, where answers have several forecasts. */
function detailTable(cells: readonly Cell[]): string {
  const at = COLUMNS.indexOf(ANSWER_CPU) + 1
  const hasMany = cells.some(({ load }) => (load.windows ?? 1) > 1)
  const withForecast = (texts: string[], text: string): string[] => (hasMany ? texts.toSpliced(at, 0, text) : texts)
  return markdownTable(
    withForecast(COLUMNS, 'CPU a forecast (us)'),
    cells.map(cell => withForecast(detailTexts(cell), number(details(cell).cpuPerForecastUs)))
  )
}

const number = (value: number | null): string => (value === null ? '' : digits(value))

function detailTexts(cell: Cell): string[] {
  const { cores, cpuPerAnswerUs, batchRows, queueWaitMs, shares, rssBytes } = details(cell)
  const { plan, host, haproxy, generator, load } = cell
  const share = shares.length === 0 ? '' : `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`
  return [
    plan.key,
    number(cores.replicas),
    number(cores.haproxy),
    number(cores.generator),
    percent(host.busyShare),
    percent(host.stealShare),
    number(cpuPerAnswerUs),
    number(batchRows),
    number(queueWaitMs),
    share,
    haproxy ? String(haproxy.retries) : '',
    haproxy ? String(haproxy.queueMax) : '',
    rssBytes === null ? '' : digits(rssBytes / 1e6),
    digits(generator.eventLoopP99Ms),
    `${load.checked - load.mismatched} of ${load.checked} right`
  ]
}

/** Mean over all observations of some histograms; null without one. */
function meanOf(histograms: readonly BucketCounts[]): number | null {
  const count = sum(histograms.map(({ counts }) => sum(counts)))
  return count === 0 ? null : sum(histograms.map(histogram => histogram.sum)) / count
}

/** Their sum; null when there is none, or one is not known. */
function allOf(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 || known.length < values.length ? null : sum(known)
}

const timesThousand = (value: number | null): number | null => (value === null ? null : value * 1000)
