import { ServiceError } from '../../errors.js'
import { Forecast, type ForecastListener } from '../../model/inference/forecast.js'
import type { Pool } from '../../model/inference/pool.js'
import type { ValidWindow, WindowReader, WindowTensor } from '../../model/inference/window.js'
import type { ScannedTable } from '../../model/inference/window-scanner.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import type { Config } from '../../settings/config.js'
import type { PredictBody } from '../schemas/predict.js'

/** A window of a call, read but not yet in a slot; or why it cannot be read. */
export type Item = WindowItem | ServiceError

type WindowItem = { steps: number } & (
  | { scanned: ScannedTable }
  | { table: PredictBody }
  | { tensor: WindowTensor; /** of the window in the tensor */ index: number }
)

/** A window of a call that must not be forecast, and its place in the call. */
export interface WindowFault {
  index: number
  error: ServiceError
}

/** What became of a window. */
export type Outcome = Forecast | ServiceError

export interface BatchOrder {
  model: ServingModel
  items: readonly Item[]
  /** monotonic ms by which every step must have begun */
  deadline: number
  /** ms from now to the deadline, by which admission goes */
  patienceMs: number
  /** a call with one window takes its turn too, as those with many do */
  isLater?: boolean
  /** One bad window refuses the whole call, with the error that this makes of the bad ones. Left out: each has an outcome of its own. */
  refuseAll?: (faults: readonly WindowFault[]) => ServiceError
}

/** Most windows of a call: a pool gives a call no more than half of its slots. */
export function mostWindows({ MAX_WINDOWS, QUEUE_ROWS }: Pick<Config, 'MAX_WINDOWS' | 'QUEUE_ROWS'>): number {
  return Math.min(MAX_WINDOWS, Math.ceil(QUEUE_ROWS / 2))
}

/**
 * The windows of one call. Each takes a slot and is forecast by itself, in turn with the forecasts of several steps, so that callers with
 * one window never wait behind a call with many. All are taken on, or none.
 */
export class Batch {
  readonly #outcomes: Outcome[] = []
  readonly #forecasts: Forecast[] = []
  readonly #ended: (outcomes: readonly Outcome[]) => void
  #left: number

  /** Begins. Throws the refusal of all; `ended` hears of the outcomes in their order, unless the call is cancelled. */
  constructor(order: BatchOrder, ended: (outcomes: readonly Outcome[]) => void) {
    const { model, items, deadline, patienceMs, isLater = false, refuseAll } = order
    this.#ended = ended
    const { faults, windows } = readAll(model, items, patienceMs)
    if (faults.length > 0 && refuseAll) {
      for (const { window } of windows) model.pool.release(window.slot)
      throw refuseAll(faults)
    }
    const { pool } = model
    const isOneOfMany = items.length > 1 || isLater
    for (const { index, error } of faults) this.#outcomes[index] = error
    for (const { index, window, steps } of windows) {
      this.#forecasts.push(new Forecast({ pool, window, steps, deadline, isOneOfMany }, this.#listener(index)))
    }
    this.#left = windows.length + 1
    for (const forecast of this.#forecasts) forecast.start()
    // Where every window is at fault there is nothing to wait for.
    this.#oneLess()
  }

  /** The caller has gone. */
  cancel(): void {
    for (const forecast of this.#forecasts) forecast.cancel()
  }

  #listener(index: number): ForecastListener {
    return { forecasted: forecast => this.#end(index, forecast), failed: error => this.#end(index, error) }
  }

  #end(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome
    this.#oneLess()
  }

  #oneLess(): void {
    if (--this.#left === 0) this.#ended(this.#outcomes)
  }
}

/** The windows of a call that are in slots now, and the others. */
interface ReadWindows {
  windows: { index: number; window: ValidWindow; steps: number }[]
  faults: WindowFault[]
}

/** Takes a slot for each window and reads it in; throws the refusal of all. */
function readAll({ pool, reader }: ServingModel, items: readonly Item[], patienceMs: number): ReadWindows {
  const read: ReadWindows = { windows: [], faults: [] }
  const steps = items.flatMap(item => (item instanceof ServiceError ? [] : item.steps))
  const slots = steps.length === 0 ? [] : acquire(pool, steps, patienceMs)
  for (const [index, item] of items.entries()) {
    if (item instanceof ServiceError) {
      read.faults.push({ index, error: item })
      continue
    }
    const slot = slots.pop()!
    try {
      read.windows.push({ index, window: readItem(reader, item, slot), steps: item.steps })
    } catch (error) {
      pool.release(slot)
      read.faults.push({ index, error: error as ServiceError })
    }
  }
  return read
}

/** A call with one window is admitted as any other request with one. */
function acquire(pool: Pool, steps: readonly number[], patienceMs: number): number[] {
  return steps.length === 1 ? [pool.acquire(steps[0], patienceMs)] : pool.acquireMany(steps, patienceMs)
}

function readItem(reader: WindowReader, item: WindowItem, slot: number): ValidWindow {
  if ('scanned' in item) return reader.readScanned(item.scanned, slot)
  return 'table' in item ? reader.read(item.table, slot) : reader.readTensor(item.tensor, item.index, slot)
}
