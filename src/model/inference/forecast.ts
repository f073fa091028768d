import { monotonicMs } from '../../clock.js'
import { ServiceError } from '../../errors.js'
import type { LongForecast } from './backlog/long-forecasts.js'
import type { RowOwner } from './pool-contract.js'
import type { Pool } from './pool.js'
import { momentOf, type ValidWindow } from './window.js'

/** A long forecast that would need so many times what is left to it, at the pace that it has had, is given up on. */
const HOPELESS = 2

/** Who asked for a forecast. Exactly one of the two is called, once, unless the forecast is cancelled. */
export interface ForecastListener {
  forecasted(forecast: Forecast): void
  failed(error: ServiceError, forecast: Forecast): void
}

export interface ForecastOrder {
  pool: Pool
  window: ValidWindow
  /** rows to forecast, 1 or more */
  steps: number
  /** monotonic ms after which no further step is run */
  deadline: number
  /** one of many windows of a call: begins in its turn, as forecasts of several steps do, so that callers with one window go first */
  isOneOfMany?: boolean
}

/**
 * One request's forecast of one or more steps. Each forecast row is fed back into the window and goes through the ring
 * anew, so that steps of different requests share batches and a short request never waits for the end of a long one
 * (iteration-level batching, as in Orca, OSDI 2022).
 */
export class Forecast implements RowOwner, LongForecast {
  readonly order: ForecastOrder
  /** [steps, features] in raw units, flat */
  readonly values: number[] = []
  /** ms spent waiting for a worker and ms in model runs, over all steps */
  queueMs = 0
  inferMs = 0
  readonly #listener: ForecastListener
  #step = 0
  #submittedAt = 0
  /** one of the long forecasts that are under way, since when (monotonic ms) */
  #isUnderWay = false
  #begunAt = 0

  constructor(order: ForecastOrder, listener: ForecastListener) {
    this.order = order
    this.#listener = listener
  }

  get steps(): number {
    return this.order.steps
  }

  get deadline(): number {
    return this.order.deadline
  }

  get #takesTurns(): boolean {
    return this.steps > 1 || this.order.isOneOfMany === true
  }

  /** Puts the first step into a ring, a long forecast's in its turn; the listener hears of the end. */
  start(): this {
    this.#submittedAt = monotonicMs()
    if (this.#takesTurns) this.order.pool.backlog.long.enter(this)
    else this.#submit()
    return this
  }

  begin(): void {
    this.#isUnderWay = true
    this.#begunAt = monotonicMs()
    this.#submit()
  }

  tooLate(): void {
    const { pool, window } = this.order
    pool.release(window.slot)
    this.#end()
    this.#listener.failed(pool.expired(), this)
  }

  /** The caller has gone. */
  cancel(): void {
    const { pool, window } = this.order
    if (this.#takesTurns && pool.withdraw(window.slot, this)) return
    if (pool.cancel(window.slot, this)) this.#end()
  }

  answered(slot: number): void {
    const { pool, steps } = this.order
    this.queueMs += Math.max(0, pool.slots.ranAt[slot]! - this.#submittedAt)
    this.inferMs += pool.slots.ranFor[slot]!
    if (!this.#takeForecast(slot)) {
      pool.release(slot)
      this.#end()
      const error = new ServiceError('invalid_forecast', 'the forecast has a value that is not finite')
      return this.#listener.failed(error, this)
    }
    this.#step++
    if (this.#isUnderWay) pool.backlog.long.stepped()
    if (this.#step < steps) {
      this.#submittedAt = monotonicMs()
      if (this.#isHopeless) return this.tooLate()
      this.#feedBack(slot)
      return this.#submit()
    }
    pool.release(slot)
    this.#end()
    this.#listener.forecasted(this)
  }

  failed(error: ServiceError): void {
    this.#end()
    this.#listener.failed(error, this)
  }

  /** At the pace so far its last step would come far too late: its rows are better given to others. */
  get #isHopeless(): boolean {
    const now = this.#submittedAt
    const needed = ((now - this.#begunAt) / this.#step) * (this.steps - this.#step)
    return needed > HOPELESS * (this.deadline - now)
  }

  #submit(): void {
    this.order.pool.submit(this.order.window, this, this.order.deadline)
  }

  /** Lets the next long forecast begin. */
  #end(): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    const { backlog } = this.order.pool
    backlog.long.ended(this.steps - this.#step, monotonicMs(), backlog.work)
  }

  /** Keeps the forecast row, moved inside the features' bounds: only legal rows may be fed back. False if not finite. */
  #takeForecast(slot: number): boolean {
    const { bundle, slots } = this.order.pool
    const { features } = bundle.manifest
    const width = features.length
    for (let feature = 0; feature < width; feature++) {
      const value = slots.forecast[slot * width + feature]!
      if (!Number.isFinite(value)) return false
      const { minimum, maximum } = features[feature]!
      if (value < minimum) this.values.push(Math.fround(minimum))
      else this.values.push(maximum !== undefined && value > maximum ? Math.fround(maximum) : value)
    }
    return true
  }

  /** Moves the window on by a row: the oldest goes, the forecast becomes the newest. */
  #feedBack(slot: number): void {
    const { window, minute, shape } = this.order.pool.slots
    const { featureCount: width, windowRows: rows } = shape
    const start = slot * rows * width
    window.copyWithin(start, start + width, start + rows * width)
    const newest = start + (rows - 1) * width
    const from = (this.#step - 1) * width
    for (let feature = 0; feature < width; feature++) window[newest + feature] = this.values[from + feature]!
    minute.copyWithin(slot * rows, slot * rows + 1, (slot + 1) * rows)
    minute[(slot + 1) * rows - 1] = Math.floor(momentOf(this.order.window, this.#step).ms / 60_000)
  }
}
