import type { ServiceError } from '../../errors.js'
import type { BatchFailure } from './worker/messages.js'

export interface PoolOptions {
  /** slots for rows, waiting or running: the queue's bound */
  queueRows: number
  workers: number
  batchCap: number
  /** ms that one batch may run before its rows are given up and the pool counts as not ready */
  runTimeoutMs: number
  heapMb: number
  /** its workers run when nobody else needs the processor */
  background?: boolean
  workerEntry?: URL
}

/** What the pool tells whoever counts. Seconds and rows; called on the main thread, kept cheap. */
export interface PoolObserver {
  batchRan(rows: number, seconds: number): void
  rowExpired(): void
  rowCancelled(): void
  workerDied(reason: string): void
  /** a batch could not be run whole; its rows were run one by one */
  batchRescued(): void
  /** why batches cannot be run whole; told at most once in ten seconds a worker */
  batchFailed(failure: BatchFailure): void
}

/** Who waits for a row. Exactly one of the two is called, once for each `submit`, unless the row is cancelled. */
export interface RowOwner {
  answered(slot: number): void
  failed(error: ServiceError): void
}
