import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../../clock.js'
import type { ServiceError } from '../../errors.js'
import { Forecast, type ForecastListener } from '../../model/inference/forecast.js'
import type { ValidWindow } from '../../model/inference/window.js'
import { unpacked } from '../http/unpack.js'
import { admission, admit, servingModel } from '../predict/admission.js'
import { predictAnswer, serverTiming } from '../predict/answer.js'
import { forecastAnswered, forecastFailed } from '../predict/answered.js'
import type { Context } from '../context.js'
import { parseJsonBody } from '../predict/json-body.js'
import { pingSchema, type PredictBody, predictSchema } from '../schemas/predict.js'

type PredictRequest = FastifyRequest<{ Body: PredictBody }>

/** `POST /predict`, what the fast path leaves of it, and `GET /predict_ping`. A plugin of its own, so that its body parser is no other route's. */
export async function predictRoutes(app: FastifyInstance, context: Context): Promise<void> {
  app.removeAllContentTypeParsers()
  const { MAX_STEPS, MAX_ROWS, DEADLINE_MS } = context.config
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
  app.post(
    '/predict',
    {
      schema: predictSchema(MAX_STEPS, MAX_ROWS),
      onRequest: admission(context),
      preParsing: unpacked(context.metrics)
    },
    (request: PredictRequest, reply) => {
      const began = monotonicMs()
      const { body } = request
      const steps = body.inference_length ?? 1
      const { pool, reader } = servingModel(context)
      const slot = admit(context, pool, steps)
      let window: ValidWindow
      try {
        window = reader.read(body, slot)
      } catch (error) {
        pool.release(slot)
        throw error
      }
      const order = { pool, window, steps, deadline: began + DEADLINE_MS }
      const answer = new Answer(context, reply, { requestId: request.id, began, validateMs: monotonicMs() - began })
      // By callback, not by promise: a promise a request costs a tenth of the throughput.
      const forecast = new Forecast(order, answer).start()
      request.cancel = () => forecast.cancel()
    }
  )

  app.get('/predict_ping', { schema: pingSchema }, () => {
    const serving = context.active.serving
    return {
      status: 'SUCCESS' as const,
      model_loaded: context.active.ready,
      input_seq_len: serving?.pool.bundle.manifest.window ?? null,
      output_seq_len: 1,
      has_df: false as const,
      busy: serving?.pool.isFull() ?? true,
      active_jobs: serving?.pool.taken ?? 0
    }
  })
}

/** What is known of a request when its forecast begins. */
interface Asked {
  requestId: string
  /** monotonic ms at which its body was there */
  began: number
  validateMs: number
}

/** Turns a forecast, or its failure, into the answer of one request. */
class Answer implements ForecastListener {
  constructor(
    private readonly context: Context,
    private readonly reply: FastifyReply,
    private readonly asked: Asked
  ) {}

  forecasted(forecast: Forecast): void {
    const { context, reply, asked } = this
    void reply.header('content-type', 'application/json; charset=utf-8')
    void reply.header('server-timing', serverTiming(asked.validateMs, forecast))
    void reply.send(predictAnswer(forecast, asked.requestId))
    forecastAnswered(context, forecast, asked.began)
  }

  failed(error: ServiceError, { order }: Forecast): void {
    void this.reply.send(error)
    forecastFailed(order.pool.statistics, this.asked.began)
  }
}
