import { lateBoundMs } from '../analysis/checks.js'
import { sum } from '../samples/answers.js'
import { HOST_FULL } from '../analysis/limiter.js'
import { median } from '../analysis/statistics.js'
import { counted, digits, markdownTable } from '../report/format.js'
import type { HighestRate, RateFigures } from './search.js'

/** What was found for one number of replicas. */
export interface SloRow extends HighestRate {
  replicas: number
}

/** What was found, and how it was looked for. */
export interface SloTable {
  p99Ms: number
  /** of each trial, ms */
  durationMs: number
  loadWorkers: number
  connections: number
  steps: number
  seed: number
  /** lowest rate of the search, arrivals a second */
  low: number
  /** share */
  precision: number
  confirmations: number
  found: SloRow[]
}

const HEAD = ['Inference Replicas', 'Rate (req/s)', 'P99 (ms)', 'Good', 'Failures', 'Drops', 'Trials', 'Notes']

/** Whether the generator or a full host, and not the servers, may be why rates did not hold. */
function limitTexts(tried: readonly RateFigures[]): string {
  const late = tried.filter(({ lateMs, p99Ms }) => lateMs > lateBoundMs(p99Ms))
  const full = tried.filter(({ hostBusy }) => hostBusy >= HOST_FULL)
  return [
    late.length === 0 ? '' : `generator late in ${late.length} of ${tried.length} trials`,
    full.length === 0 ? '' : `host CPU full in ${full.length} of ${tried.length} trials`
  ]
    .filter(text => text !== '')
    .join('; ')
}

/** The table as Markdown. */
export function renderSlo(table: SloTable): string {
  const { p99Ms, durationMs, loadWorkers, connections, steps, seed, precision, confirmations } = table
  return [
    `The table shows the highest Poisson rate with P99 <= ${p99Ms} ms, no failure and no dropped arrival. The loop is open: a latency begins at the planned send time.`,
    `Each trial takes ${durationMs / 1000} s or more, with ${counted(loadWorkers, 'load worker')}, ${connections} connections, ${counted(steps, 'step')} and seed ${seed}. Each rate is found to within ${precision * 100} % and confirmed ${confirmations} times. The figures are those of the trials that confirm.`,
    markdownTable(
      HEAD,
      table.found.map(row => rowTexts(row, table.low))
    )
  ].join('\n\n')
}

function rowTexts({ replicas, ratePerSecond, isAtTop, confirmed, tried }: SloRow, low: number): string[] {
  if (ratePerSecond === null)
    return [String(replicas), `none from ${low}/s on`, '', '', '', '', String(tried.length), limitTexts(tried)]
  return [
    String(replicas),
    `${digits(ratePerSecond)}${isAtTop ? ' or more' : ''}`,
    digits(median(confirmed.map(({ p99Ms }) => p99Ms))),
    String(sum(confirmed.map(({ good }) => good))),
    String(sum(confirmed.map(({ failed }) => failed))),
    String(sum(confirmed.map(({ dropped }) => dropped))),
    String(tried.length),
    limitTexts(tried)
  ]
}
