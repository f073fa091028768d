import type { Manifest } from '../../../model/bundle/manifest.js'
import type { ModelStatistics, Tally } from '../../../model/inference/statistics.js'

const NS_A_MS = 1e6

const duration = ({ count, ms }: Tally) => ({ count, ns: Math.round(ms * NS_A_MS) })

/** Counted, but not measured by itself: copying into a slot is part of validating, copying out part of the model run. */
const untimed = (count: number) => ({ count, ns: 0 })

/** The statistics extension's account of a model, of all routes: since this version went live in this replica. */
export function statisticsOf({ name, version }: Manifest, { success, fail, queue, infer, ...of }: ModelStatistics) {
  return {
    name,
    version,
    last_inference: of.lastAt,
    inference_count: of.rows,
    execution_count: of.runs,
    inference_stats: {
      success: duration(success),
      fail: duration(fail),
      queue: duration(queue),
      compute_input: untimed(success.count),
      compute_infer: duration(infer),
      compute_output: untimed(success.count),
      cache_hit: untimed(0),
      cache_miss: untimed(0)
    },
    batch_stats: [...of.batches]
      .toSorted(([one], [other]) => one - other)
      .map(([batch_size, runs]) => ({
        batch_size,
        compute_input: untimed(runs.count),
        compute_infer: duration(runs),
        compute_output: untimed(runs.count)
      })),
    memory_usage: []
  }
}
