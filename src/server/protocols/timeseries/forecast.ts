import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../../../clock.js'
import type { Context } from '../../context.js'
import { answerErrors } from '../../error-handler.js'
import { sendOnWish } from '../../http/answer-packed.js'
import { unpacked } from '../../http/unpack.js'
import { admission, servingModel } from '../../predict/admission.js'
import { mostWindows } from '../../predict/batch.js'
import { mostBytes, WINDOW_BYTES } from '../../predict/body-limit.js'
import { parseJsonBody } from '../../predict/json-body.js'
import { timeSeriesSchema } from '../../schemas/timeseries.js'
import { forecastEach } from '../forecast-call.js'
import { timeSeriesError } from './error-form.js'
import { forecastAnswer } from './forecast-answer.js'
import { forecastRequest } from './forecast-request.js'

/** KServe's time series protocol: `POST /v1/timeseries/forecast`, several series in one call. */
export async function timeSeriesForecast(app: FastifyInstance, context: Context): Promise<void> {
  const { MAX_STEPS } = context.config
  answerErrors(app, timeSeriesError)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const options = {
    schema: timeSeriesSchema(MAX_STEPS, mostWindows(context.config)),
    config: {
      bodyLimit: `${WINDOW_BYTES} bytes for each of MAX_WINDOWS windows, or BODY_LIMIT_BYTES`,
      mediaTypes: 'application/json'
    },
    bodyLimit: mostBytes(context.config),
    onRequest: admission(context),
    preParsing: unpacked(context.metrics)
  }
  app.post('/v1/timeseries/forecast', options, (request, reply) => forecast(context, request, reply))
}

/** Keys, and arrays, of a call beside those of its rows, and of its extra fields. */
const PARTS_A_SERIES = 32

function forecast(context: Context, request: FastifyRequest, reply: FastifyReply): void {
  const began = monotonicMs()
  const model = servingModel(context)
  const { manifest } = model.pool.bundle
  const { MAX_STEPS, MAX_ROWS } = context.config
  const mostSeries = mostWindows(context.config)
  const mostParts = MAX_ROWS + mostSeries * (manifest.window + PARTS_A_SERIES)
  const asked = forecastRequest(parseJsonBody(request.body as Buffer, mostParts), manifest, {
    mostSteps: MAX_STEPS,
    mostSeries
  })
  const work = forecastEach({ context, model, items: asked.items, began }, outcomes => {
    const { id } = request
    const answer = forecastAnswer(asked, outcomes, { id, created: Math.floor(Date.now() / 1000) })
    void reply.header('content-type', 'application/json; charset=utf-8')
    sendOnWish(request, reply, JSON.stringify(answer))
  })
  request.cancel = () => work.cancel()
}
