import { cellFigures } from '../analysis/figures.js'
import { isSuccess, sum } from '../samples/answers.js'
import { type Estimate, mean, wilson } from '../analysis/statistics.js'
import { mergeLatency } from '../samples/latency.js'
import type { Cell } from '../results/cell.schema.js'

/** Three significant digits at least, no more than two behind the point. */
export function digits(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}

/**
 * A median with the interval of its repeats; empty where there is no figure. What is measured here is never below 0, where the
 * interval of few repeats may reach.
 */
export function figure(estimate: Estimate | null, format: (value: number) => string = digits): string {
  if (!estimate) return ''
  const { median, interval } = estimate
  return interval ? `${format(median)} [${format(Math.max(0, interval[0]))}, ${format(interval[1])}]` : format(median)
}

/** A count and what is counted: `1 cell`, `2 cells`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export const twoPlaces = (value: number): string => value.toFixed(2)

export const percent = (share: number): string => `${Math.round(100 * share)} %`

export const seconds = (ms: number): string => `${Number(digits(ms / 1000))} s`

/** What a reader has to know of cells beside their figures: the limiter, failed checks, notes; each one once. */
export function notes(cells: readonly Cell[]): string {
  const all = cells.flatMap(({ limiter, checks, notes }) => [
    limiter.what === 'none found' ? 'no limiter found' : `limited by ${limiter.what}`,
    ...failedChecks({ checks }),
    ...notes
  ])
  return [...new Set([...all, ...failureTexts(cells), ...stallTexts(cells)])].join('; ')
}

/** Which failures there were in some repeats, the most frequent first; see `cell.schema.ts` for what counts as one. */
function failureTexts(cells: readonly Cell[]): string[] {
  const counts = new Map<string, number>()
  const add = (name: string, count: number) => {
    if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  for (const { load } of cells) {
    for (const [status, count] of Object.entries(load.statuses)) if (!isSuccess(Number(status))) add(status, count)
    for (const [kind, count] of Object.entries(load.errors)) add(kind === 'dropped' ? 'arrivals dropped' : kind, count)
    add('lost', load.lost)
    add('still open at the end', load.overdue ?? 0)
    for (const [code, count] of Object.entries(load.failedWindows ?? {})) add(`${code} (windows)`, count)
  }
  const texts = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} x ${count}`)
  return [...(texts.length === 0 ? [] : [`failures: ${texts.join(', ')}`]), ...wrongTexts(cells)]
}

/** The share of wrong forecasts, from those that were compared, with its interval (Wilson 1927, 95 %). */
function wrongTexts(cells: readonly Cell[]): string[] {
  const checked = sum(cells.map(({ load }) => load.checked))
  const wrong = sum(cells.map(({ load }) => load.mismatched))
  if (wrong === 0) return []
  const [low, high] = wilson(wrong, checked)
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`
  return [
    `wrong forecasts: ${share(wrong / checked)} [${share(low)}, ${share(high)}] of the answers (${checked} compared)`
  ]
}

/** Answers of a second from which one without any answer is a pause, and no chance. */
const STEADY_RATE = 10
/** Times the P99 from which the slowest answer is a pause of its own, and ms that it takes at the least. */
const PAUSE = { times: 5, ms: 500 }

/** Pauses that a closed loop hides: while a server stands still its users wait, and send nothing that would be slow. */
function stallTexts(cells: readonly Cell[]): string[] {
  const empty = sum(cells.map(({ load: { perSecond } }) => (mean(perSecond) < STEADY_RATE ? 0 : zeros(perSecond))))
  const slowest = Math.max(...cells.map(({ load }) => slowestMs(load)))
  const p99 = Math.max(...cells.map(cell => cellFigures(cell).p99Ms ?? Infinity))
  const isPause = slowest >= PAUSE.ms && slowest >= PAUSE.times * p99
  if (empty === 0 && !isPause) return []
  const seconds = empty === 0 ? '' : `, ${counted(empty, 'second')} without an answer`
  return [
    `slowest answer ${digits(slowest)} ms${seconds}: users who waited sent nothing (coordinated omission), so the percentiles are too low`
  ]
}

const zeros = (perSecond: readonly number[]): number => perSecond.filter(count => count === 0).length

const slowestMs = ({ latencyUs }: Cell['load']): number =>
  latencyUs === null ? 0 : mergeLatency([latencyUs]).maxValue / 1000

/** What each check of a cell that failed means, in words. */
export function failedChecks({ checks }: Pick<Cell, 'checks'>): string[] {
  return checks.flatMap(({ name, ok }) => (ok ? [] : [FAILED[name] ?? name]))
}

const FAILED: Record<string, string> = {
  'servers-agree': "servers' counts differ",
  little: "Little's law does not hold",
  connections: 'connections differ from users',
  'same-model': 'replicas served different models',
  'generator-keeps-up': 'generator late',
  'no-mismatch': 'wrong or unchecked forecasts',
  steady: 'not steady',
  samples: 'too few samples'
}

const MARKUP: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '|': '\\|', '`': '\\`', '](': ']\\(' }

/** Text that may come from the tested server, so that nothing in it is markup; emphasis, which our own texts have, stays. */
function plainText(text: string): string {
  return text.replace(/[&<>|`]|\]\(/g, mark => MARKUP[mark]!).replace(/\s+/g, ' ')
}

/** A Markdown table; every cell is text, see `plainText`. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(plainText).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
