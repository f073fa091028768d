import type { FastifyBaseLogger } from 'fastify'
import { monotonicMs } from '../../../clock.js'
import type { ServiceError } from '../../../errors.js'
import type { Manifest } from '../../../model/bundle/manifest.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import { JSON_TYPE } from '../../http/answer-text.js'
import type { Exchange, FastRoute } from '../../http/fast-path.js'
import { refuse } from '../../predict/admission.js'
import { answerError, endsOf } from '../../predict/fast-end.js'
import type { FastRouteOptions } from '../../predict/fast-predict.js'
import { binaryAnswer, HEADER_LENGTH, jsonAnswer } from './answers.js'
import { v2Error } from './errors.js'
import { infer, type InferListener } from './infer.js'
import { inferReader, type RestInferRequest } from './infer-request.js'

/** As the framework's route of the same requests is called. */
const ROUTE = '/v2/models/:model/infer'
/** Bytes of the largest body: some fourteen windows in binary. The framework reads larger ones, with its bounds. */
const MAX_BYTES = 65_536
const BYTES_TYPE = 'content-type: application/octet-stream\r\n'
/** The framework packs longer answers on wish. */
const VARY = 'vary: accept-encoding\r\n'

/**
 * `POST /v2/models/M/infer` on the fast path, for the model that serves, as its name is written without escapes. What is wrong with a
 * request is left to the framework's route, which words the errors.
 */
export function fastInfer({ context, logger, nameOf, callerOf }: FastRouteOptions): FastRoute {
  const { active, config } = context
  const reader = inferReader(config)
  const urlOf = urlOfLast()
  const isFor = (url: string) => active.serving !== undefined && url === urlOf(active.serving.pool.bundle.manifest)
  return {
    isFor,
    isJson: false,
    maxBytes: Math.min(MAX_BYTES, config.BODY_LIMIT_BYTES),
    nameOf,
    callerOf,
    handle(exchange, body) {
      const began = monotonicMs()
      const model = active.serving
      // Another model may have gone live since the headers came.
      if (model === undefined || !isFor(exchange.url)) return false
      const refusal = model.pool.refusal(1, config.DEADLINE_MS)
      if (refusal) {
        fail(logger, exchange, refuse(context, refusal))
        return true
      }
      let request: RestInferRequest
      try {
        request = reader.read(body, exchange.jsonLength, model.pool.bundle.manifest)
      } catch {
        return false
      }
      try {
        exchange.work = infer({ context, model, request, began }, new FastAnswer(logger, exchange, request))
      } catch (error) {
        fail(logger, exchange, error as ServiceError)
      }
      return true
    },
    ended: endsOf(ROUTE, context, logger)
  }
}

/** The path of a model's requests, put together once a model. */
function urlOfLast(): (manifest: Manifest) => string {
  let last: Manifest | undefined
  let url = ''
  return manifest => {
    if (manifest !== last) url = `/v2/models/${manifest.name}/infer`
    last = manifest
    return url
  }
}

/** Turns the forecasts of a request, or its failure, into the answer of one exchange. */
class FastAnswer implements InferListener {
  constructor(
    private readonly logger: FastifyBaseLogger,
    private readonly exchange: Exchange,
    private readonly request: RestInferRequest
  ) {}

  forecasted(forecasts: readonly Forecast[]): void {
    const { exchange, request } = this
    if (!request.isBinary) return exchange.answer(200, JSON_TYPE + VARY, jsonAnswer(forecasts, request))
    const { body, jsonBytes } = binaryAnswer(forecasts, request)
    exchange.answer(200, `${BYTES_TYPE}${HEADER_LENGTH}: ${jsonBytes}\r\n${VARY}`, body.toString('latin1'), true)
  }

  failed(error: ServiceError): void {
    fail(this.logger, this.exchange, error)
  }
}

function fail(logger: FastifyBaseLogger, exchange: Exchange, error: ServiceError): void {
  answerError(logger, exchange, error, v2Error)
}
