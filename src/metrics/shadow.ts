import { Counter, type Registry } from 'prom-client'
import { REFUSALS, type RefusalReason } from '../errors.js'
import { type HistogramChild, HotHistogram } from './histogram.js'
import type { Declarers } from './declare.js'
import { type Difference, SHADOW_ROWS, type ShadowRow } from '../model/shadow/comparison.js'

/** From the noise between batch sizes (1e-7) to a forecast that has nothing to do with the other. */
const RELATIVE = [1e-6, 1e-5, 1e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

/** What is measured of a shadow; the metrics of the model that serves have no part of it. */
export interface ShadowMetrics {
  row(outcome: ShadowRow): void
  difference(difference: Difference): void
  batchRan(rows: number, seconds: number): void
  batchRescued(): void
  promotion(outcome: 'live' | RefusalReason): void
  workerDied(): void
}

/** Declares the metrics of a shadow; they stand at 0 where there is none. */
export function declareShadow(registry: Registry, { counter, labelled, fine }: Declarers): ShadowMetrics {
  const batchSeconds = fine('gru_shadow_batch_duration_seconds', 'One model run of a batch by the shadow.')
  const outcomes = ['live', ...REFUSALS]
  const rescued = counter('gru_shadow_batch_rescues_total', 'Batches of the shadow that failed whole.')
  const died = counter('gru_shadow_worker_deaths_total', 'Ends of the worker of the shadow without being asked to.')
  return {
    row: labelled('gru_shadow_rows_total', 'Live rows meant for the shadow, by their end.', 'outcome', SHADOW_ROWS),
    difference: declareDifferences(registry),
    batchRan: (_rows, seconds) => batchSeconds(seconds),
    batchRescued: () => rescued(),
    promotion: labelled('gru_shadow_rollouts_total', 'Rollouts of a shadow by outcome.', 'outcome', outcomes),
    workerDied: () => died()
  }
}

/** A feature has its series from its first row on. */
function declareDifferences(registry: Registry): ShadowMetrics['difference'] {
  const features = new Map<string, { child: HistogramChild; sum: number }>()
  const relative = new HotHistogram({
    name: 'gru_shadow_relative_difference',
    help: "Distance of the shadow's forecast from the live one, as a share of the live one.",
    labelNames: ['feature'],
    buckets: RELATIVE,
    registry
  })
  const absolute = new Counter({
    name: 'gru_shadow_absolute_difference_total',
    help: "Sum of the distances of the shadow's forecasts from the live ones, in raw units.",
    labelNames: ['feature'],
    registers: [registry]
  })
  Object.assign(absolute, {
    // The sums are kept here: a labelled count costs a microsecond, and a row has one for each feature.
    collect() {
      absolute.reset()
      for (const [feature, { sum }] of features) absolute.inc({ feature }, sum)
    }
  })
  return ({ feature, absolute: distance, relative: share }) => {
    const known = features.get(feature) ?? { child: relative.child({ feature }), sum: 0 }
    features.set(feature, known)
    known.child.observe(share)
    known.sum += distance
  }
}
