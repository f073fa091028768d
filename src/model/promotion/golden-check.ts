import { ModelRefused, type ServiceError } from '../../errors.js'
import type { Pool } from '../inference/pool.js'
import type { RowOwner } from '../inference/pool-contract.js'
import { goldenWindow, type ValidWindow } from '../inference/window.js'
import { type Batch, GoldenBatches, type BatchWindow, rowsOf } from './golden-batches.js'

/**
 * Runs the batches that a new pool must answer (batches.ts) in each of its workers, each batch at exactly its size, before the first
 * caller comes. Nothing else sees a flipped weight: it loads without an error and answers plausibly. onnxruntime plans its
 * memory at the first run of a shape, so this warms the sessions too.
 */
export class GoldenCheck {
  readonly #pool: Pool
  readonly #deadline: number
  /** one a worker: a session is held to what it gave itself */
  readonly #golden: GoldenBatches[]

  /** `deadline` is on the monotonic clock, in ms. */
  constructor(pool: Pool, deadline: number) {
    const { workers, batchCap } = pool.options
    this.#pool = pool
    this.#deadline = deadline
    this.#golden = Array.from({ length: workers }, () => new GoldenBatches(pool.bundle, batchCap))
  }

  /** Runs windows alone. Rejects with `ModelRefused`. */
  alone(): Promise<void> {
    return this.#each(({ alone }) => alone)
  }

  /** Runs every larger size. Rejects with `ModelRefused`. */
  together(): Promise<void> {
    return this.#each(({ together }) => together)
  }

  /** All workers at once where there are slots for it, or else one after the other. */
  async #each(batchesOf: (golden: GoldenBatches) => readonly Batch[]): Promise<void> {
    const { queueRows, workers, batchCap } = this.#pool.options
    const share = Math.floor(queueRows / workers)
    const run = (golden: GoldenBatches, worker: number, slots: number) =>
      this.#run(golden, batchesOf(golden), { worker, slots })
    if (share >= batchCap) {
      await Promise.all(this.#golden.map((golden, worker) => run(golden, worker, share)))
    } else {
      for (const [worker, golden] of this.#golden.entries()) await run(golden, worker, queueRows)
    }
  }

  async #run(golden: GoldenBatches, batches: readonly Batch[], { worker, slots }: { worker: number; slots: number }) {
    for (let first = 0; first < batches.length;) {
      const now: Batch[] = []
      for (let rows = 0; first < batches.length && rows + batches[first]!.length <= slots; first++) {
        rows += batches[first]!.length
        now.push(batches[first]!)
      }
      const forecasts = await Promise.all(now.map(batch => this.#batch(golden.members, batch, worker)))
      now.forEach((batch, index) => golden.check(batch, forecasts[index]!))
    }
  }

  /** Resolves to [rows, featureCount]. */
  async #batch(members: readonly BatchWindow[], batch: Batch, worker: number): Promise<Float32Array> {
    const pool = this.#pool
    try {
      const windows = batch.map(number => fill(pool, members[number]!))
      const slots = windows.map(({ slot }) => slot)
      return await new Promise((resolve, reject) => {
        pool.submitWhole(windows, worker, new BatchRun(pool, slots, { resolve, reject }), this.#deadline)
      })
    } catch (error) {
      const message = `${rowsOf(batch)} cannot be run: ${(error as ServiceError).message}`
      throw new ModelRefused('golden_mismatch', message, { cause: error })
    }
  }
}

/** Takes a slot for the window: legal by definition, for it is the trainer's or made of it. */
function fill(pool: Pool, { window, minute }: BatchWindow): ValidWindow {
  const slot = pool.acquire()
  const { slots } = pool
  slots.window.set(window, slot * slots.shape.windowRows * slots.shape.featureCount)
  if (minute) slots.minute.set(minute, slot * slots.shape.windowRows)
  return goldenWindow(slot)
}

interface Outcome {
  resolve(forecasts: Float32Array): void
  reject(error: ServiceError): void
}

/** Gathers the answers of a batch's rows. */
class BatchRun implements RowOwner {
  readonly #pool: Pool
  readonly #slots: readonly number[]
  readonly #outcome: Outcome
  readonly #forecasts: Float32Array
  #left: number

  constructor(pool: Pool, slots: readonly number[], outcome: Outcome) {
    this.#pool = pool
    this.#slots = slots
    this.#outcome = outcome
    this.#left = slots.length
    this.#forecasts = new Float32Array(slots.length * pool.slots.shape.featureCount)
  }

  answered(slot: number): void {
    const { slots } = this.#pool
    const { featureCount } = slots.shape
    const forecast = slots.forecast.subarray(slot * featureCount, (slot + 1) * featureCount)
    this.#forecasts.set(forecast, this.#slots.indexOf(slot) * featureCount)
    this.#pool.release(slot)
    if (--this.#left === 0) this.#outcome.resolve(this.#forecasts)
  }

  failed(error: ServiceError): void {
    this.#outcome.reject(error)
  }
}
