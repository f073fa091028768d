import { ServiceError } from '../../errors.js'
import { Forecast, type ForecastListener } from '../../model/inference/forecast.js'
import type { ScannedTable } from '../../model/inference/window-scanner.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import type { PredictBody } from '../schemas/predict.js'

/** A window of a call, read but not yet in a slot; or why it cannot be read. */
export type Item = { scanned: ScannedTable; steps: number } | { table: PredictBody; steps: number } | ServiceError

/** What became of a window. */
export type Outcome = Forecast | ServiceError

export interface BatchOrder {
  model: ServingModel
  items: readonly Item[]
  /** monotonic ms by which every step must have begun */
  deadline: number
  /** ms from now to the deadline, by which admission goes */
  patienceMs: number
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
  constructor({ model, items, deadline, patienceMs }: BatchOrder, ended: (outcomes: readonly Outcome[]) => void) {
    const { pool, reader } = model
    this.#ended = ended
    const good = items.flatMap((item, index) => (item instanceof ServiceError ? [] : [{ item, index }]))
    for (const [index, item] of items.entries()) if (item instanceof ServiceError) this.#outcomes[index] = item
    const slots =
      good.length === 0
        ? []
        : pool.acquireMany(
            good.map(({ item }) => item.steps),
            patienceMs
          )
    this.#left = good.length + 1
    for (const [at, { item, index }] of good.entries()) {
      const slot = slots[at]!
      try {
        const window = 'scanned' in item ? reader.readScanned(item.scanned, slot) : reader.read(item.table, slot)
        const order = { pool, window, steps: item.steps, deadline, isOneOfMany: true }
        this.#forecasts.push(new Forecast(order, this.#listener(index)))
      } catch (error) {
        pool.release(slot)
        this.#end(index, error as ServiceError)
      }
    }
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
