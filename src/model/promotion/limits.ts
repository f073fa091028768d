import type { Config } from '../../settings/config.js'
import type { PoolOptions } from '../inference/pool-contract.js'
import type { SandboxLimits } from './sandbox.js'

/** The workers of a model and their queue, as the settings say. */
export function poolOptionsOf(config: Config): PoolOptions {
  return {
    queueRows: config.QUEUE_ROWS,
    workers: config.WORKERS,
    batchCap: config.BATCH_CAP,
    runTimeoutMs: config.RUN_TIMEOUT_MS,
    heapMb: config.WORKER_HEAP_MB
  }
}

/** What the trial of a new bundle may take, as the settings say. */
export function sandboxLimitsOf(config: Config): SandboxLimits {
  return { timeoutMs: config.SANDBOX_TIMEOUT_MS, memoryMb: config.SANDBOX_MEMORY_MB, batchCap: config.BATCH_CAP }
}
