import { BenchError, reasonOf } from '../errors.js'
import type { BucketCounts } from '../results/cell.schema.js'
import { isSuccess, sum } from '../samples/answers.js'
import { getText } from './get.js'

/** Routes that answer with forecasts. */
const FORECAST_ROUTE = /^\/predict(\/batch)?$|^\/v2\/.*\/infer$/

/** One sample of Prometheus' text format: a name, its labels, its value. */
interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

/** What a replica has counted since its start (docs/reference/metrics.md). */
export interface ReplicaCounters {
  /** 2xx answers with forecasts, of whatever route */
  ok: number
  batchRows: BucketCounts
  queueWaitSeconds: BucketCounts
  /** 99th percentile of its event-loop delay since the last scrape, with the 10 ms of the timer that measures it */
  eventLoopP99Ms: number | null
  /** sha256 of the model that serves; empty when none does */
  digest: string
}

/**
 * Reads a replica's own counters.
 * @throws BenchError `target_down` when it does not answer with metrics
 */
export async function scrape(url: string): Promise<ReplicaCounters> {
  try {
    return counters(parseMetrics(await getText(url)))
  } catch (cause) {
    throw new BenchError('target_down', `no metrics from ${url}: ${reasonOf(cause)}`, { cause })
  }
}

/** What was counted between two scrapes of one replica; the event loop and the model are those of the second. */
export function between(before: ReplicaCounters, after: ReplicaCounters): ReplicaCounters {
  return {
    ...after,
    ok: after.ok - before.ok,
    batchRows: less(after.batchRows, before.batchRows),
    queueWaitSeconds: less(after.queueWaitSeconds, before.queueWaitSeconds)
  }
}

/** Prometheus' text format 0.0.4, without its comments. */
export function parseMetrics(text: string): Sample[] {
  return [...text.matchAll(/^([\w:]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', quoted = '']) => [label, quoted])
    ),
    value: value === '+Inf' ? Infinity : Number(value)
  }))
}

function counters(samples: Sample[]): ReplicaCounters {
  const answers = samples.filter(
    ({ name, labels }) =>
      name === 'gru_request_duration_seconds_count' &&
      FORECAST_ROUTE.test(labels.route ?? '') &&
      isSuccess(Number(labels.status))
  )
  const loop = samples.find(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds')
  return {
    ok: sum(answers.map(({ value }) => value)),
    batchRows: histogram(samples, 'gru_batch_rows'),
    queueWaitSeconds: histogram(samples, 'gru_queue_wait_seconds'),
    eventLoopP99Ms: loop ? loop.value * 1000 : null,
    digest: samples.find(({ name, value }) => name === 'gru_model_info' && value === 1)?.labels.digest ?? ''
  }
}

/** A histogram's buckets, no longer cumulated; the last count is above all bounds. */
function histogram(samples: Sample[], name: string): BucketCounts {
  const buckets = samples.filter(sample => sample.name === `${name}_bucket`)
  const cumulated = buckets.map(({ value }) => value)
  return {
    bounds: buckets.map(({ labels }) => Number(labels.le)).filter(Number.isFinite),
    counts: cumulated.map((value, index) => value - (cumulated[index - 1] ?? 0)),
    sum: samples.find(sample => sample.name === `${name}_sum`)?.value ?? 0
  }
}

function less(after: BucketCounts, before: BucketCounts): BucketCounts {
  return {
    bounds: after.bounds,
    counts: after.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    sum: after.sum - before.sum
  }
}
