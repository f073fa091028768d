import { cellFigures } from '../analysis/figures.js'
import type { Cell } from '../results/cell.schema.js'
import { details } from './details.js'

/** results.csv: a line a cell, figures without units in their text; a figure that there is not is empty (RFC 4180). */
export function resultsCsv(cells: readonly Cell[]): string {
  const records = cells.map(toRecord)
  const head = Object.keys(records[0] ?? {})
  return [head, ...records.map(record => Object.values(record))]
    .map(fields => fields.map(quote).join(','))
    .join('\r\n')
    .concat('\r\n')
}

function toRecord(cell: Cell) {
  const { plan, load, host, haproxy, generator, limiter, checks, startedAt, order } = cell
  const { good, rps, forecastsPerSecond, p50Ms, p95Ms, p99Ms, meanMs, failurePercent } = cellFigures(cell)
  const { cores, cpuPerAnswerUs, batchRows, queueWaitMs, rssBytes } = details(cell)
  return {
    phase: plan.phase,
    replicas: plan.replicas,
    users: plan.users,
    workers: plan.workers,
    repeat: plan.repeat,
    think_ms: plan.thinkMs,
    windows_per_call: load.windows ?? 1,
    order,
    started_at: startedAt,
    elapsed_ms: load.elapsedMs,
    good,
    rps,
    forecasts_per_second: forecastsPerSecond,
    median_ms: p50Ms,
    p95_ms: p95Ms,
    p99_ms: p99Ms,
    mean_ms: meanMs,
    failures_percent: failurePercent,
    completed: load.completed,
    lost: load.lost,
    checked: load.checked,
    mismatched: load.mismatched,
    cpu_replicas_cores: cores.replicas,
    cpu_haproxy_cores: cores.haproxy,
    cpu_generator_cores: cores.generator,
    cpu_us_per_answer: cpuPerAnswerUs,
    host_busy_share: host.busyShare,
    host_steal_share: host.stealShare,
    batch_rows_mean: batchRows,
    queue_wait_ms_mean: queueWaitMs,
    replicas_rss_bytes: rssBytes,
    retries: haproxy?.retries,
    redispatches: haproxy?.redispatches,
    queue_max: haproxy?.queueMax,
    generator_lag_p99_ms: generator.eventLoopP99Ms,
    limiter: limiter.what,
    failed_checks: checks
      .filter(({ ok }) => !ok)
      .map(({ name }) => name)
      .join(' ')
  }
}

function quote(value: string | number | null | undefined): string {
  // A text that begins like a formula would be one to a spreadsheet.
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
