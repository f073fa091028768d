import type { FastifyBaseLogger } from 'fastify'
import { monotonicMs } from '../../clock.js'
import type { ServiceError } from '../../errors.js'
import { Forecast, type ForecastListener } from '../../model/inference/forecast.js'
import type { ScannedTable } from '../../model/inference/window-scanner.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import type { Context } from '../context.js'
import { errorBody } from '../error-body.js'
import { JSON_TYPE } from '../http/answer-text.js'
import type { Exchange, FastRoute } from '../http/fast-path.js'
import { admit, refusalUnparsed } from './admission.js'
import { predictAnswer, serverTiming } from './answer.js'
import { forecastAnswered, forecastFailed } from './answered.js'
import { answerError, endsOf } from './fast-end.js'

/** What the routes of the fast path are made of. */
export interface FastRouteOptions {
  context: Context
  logger: FastifyBaseLogger
  /** what a request is called, from what its caller calls it */
  nameOf(given: string | undefined): string
  /** whose request it is: what `FastRoute` has */
  callerOf: FastRoute['callerOf']
}

const ROUTE = '/predict'
/** Bytes of the largest body that the scanner takes; the framework reads larger ones, with its bounds. */
const MAX_BYTES = 65_536

/**
 * `POST /predict` on the fast path: admission, then the scanner, then the ring. What the scanner does not take, valid or not, is left
 * to the framework's route of the same name, which words the errors.
 */
export function fastPredict({ context, logger, nameOf, callerOf }: FastRouteOptions): FastRoute {
  const { BODY_LIMIT_BYTES, MAX_STEPS } = context.config
  return {
    isFor: url => url === ROUTE,
    isJson: true,
    maxBytes: Math.min(MAX_BYTES, BODY_LIMIT_BYTES),
    nameOf,
    callerOf,
    handle(exchange, body) {
      const began = monotonicMs()
      const { serving } = context.active
      if (serving === undefined) return false
      const answer = new FastAnswer(context, logger, exchange)
      const refusal = refusalUnparsed(context, serving, body)
      if (refusal) {
        answer.failed(refusal)
        return true
      }
      const table = serving.reader.scan(body, MAX_STEPS)
      if (table === undefined) return false
      answer.forecast(serving, table, began)
      return true
    },
    ended: endsOf(ROUTE, context, logger)
  }
}

/** Turns a forecast, or its failure, into the answer of one exchange. */
class FastAnswer implements ForecastListener {
  #validateMs = 0

  constructor(
    private readonly context: Context,
    private readonly logger: FastifyBaseLogger,
    private readonly exchange: Exchange
  ) {}

  /** Puts a table into the queue; `began`: monotonic ms since when it was looked at. */
  forecast({ pool, reader }: ServingModel, table: ScannedTable, began: number): void {
    const { DEADLINE_MS } = this.context.config
    const { steps } = table
    let slot: number
    try {
      slot = admit(this.context, pool, steps)
    } catch (error) {
      return this.failed(error as ServiceError)
    }
    const order = { pool, window: reader.readScanned(table, slot), steps, deadline: began + DEADLINE_MS }
    this.#validateMs = monotonicMs() - began
    this.exchange.work = new Forecast(order, this).start()
  }

  forecasted(forecast: Forecast): void {
    const { context, exchange } = this
    const headers = `${JSON_TYPE}server-timing: ${serverTiming(this.#validateMs, forecast)}\r\n`
    exchange.answer(200, headers, predictAnswer(forecast, exchange.id))
    forecastAnswered(context, forecast, exchange.began)
  }

  failed(error: ServiceError, forecast?: Forecast): void {
    const { logger, exchange } = this
    answerError(logger, exchange, error, errorBody)
    if (forecast) forecastFailed(forecast.order.pool.statistics, exchange.began)
  }
}
