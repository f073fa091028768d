import { ActiveModel } from '../../src/model/promotion/active-model.js'
import { Rollout, type RolloutObserver } from '../../src/model/promotion/rollout.js'
import type { BundleFiles } from '../../src/model/bundle/bundle.js'
import type { PoolOptions } from '../../src/model/inference/pool-contract.js'
import type { BatchFailure } from '../../src/model/inference/worker/messages.js'
import { readLocalBundle } from '../../src/model/bundle/files.js'

const POOL: PoolOptions = { queueRows: 64, workers: 1, batchCap: 16, runTimeoutMs: 10_000, heapMb: 64 }

/** An observer that only remembers. */
function recorder() {
  const seen = {
    batches: [] as number[],
    expired: 0,
    cancelled: 0,
    rescues: 0,
    failures: [] as BatchFailure[],
    deaths: [] as string[],
    promotions: [] as string[],
    steps: [] as string[]
  }
  const observer: RolloutObserver = {
    batchRan: rows => seen.batches.push(rows),
    rowExpired: () => seen.expired++,
    rowCancelled: () => seen.cancelled++,
    batchRescued: () => seen.rescues++,
    batchFailed: failure => seen.failures.push(failure),
    workerDied: reason => seen.deaths.push(reason),
    promotion: outcome => seen.promotions.push(outcome),
    step: step => seen.steps.push(step)
  }
  return { seen, observer }
}

/** A rollout of the bundle in `folder`, and the model that it makes active. */
export function rolloutOf(folder: string, options: Partial<PoolOptions> = {}) {
  const { seen, observer } = recorder()
  const active = new ActiveModel()
  const source = { folder, change: (files: BundleFiles): BundleFiles => files }
  const fetch = async () => source.change(await readLocalBundle(source.folder))
  const rollout = new Rollout(active, { fetch, pool: { ...POOL, ...options }, maxRows: 1000 }, observer)
  return { active, rollout, source, seen }
}
