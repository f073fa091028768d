import type { Estimate } from '../analysis/statistics.js'
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
  return [...new Set(all)].join('; ')
}

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

/** A Markdown table; every cell is text, `|` in it is escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(text => text.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
