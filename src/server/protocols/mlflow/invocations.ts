import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../../../clock.js'
import { ServiceError } from '../../../errors.js'
import type { ServingModel } from '../../../model/promotion/active-model.js'
import type { Context } from '../../context.js'
import { answerErrors } from '../../error-handler.js'
import { sendOnWish } from '../../http/answer-packed.js'
import { unpacked } from '../../http/unpack.js'
import { admission, servingModel } from '../../predict/admission.js'
import { mostWindows } from '../../predict/batch.js'
import { mostBytes, WINDOW_BYTES } from '../../predict/body-limit.js'
import { parseJsonBody } from '../../predict/json-body.js'
import { invocationsSchema } from '../../schemas/mlflow.js'
import { forecastWhole } from '../forecast-call.js'
import { mlflowError } from './error-form.js'
import { boundsOf } from './frame-bounds.js'
import { MEDIA_TYPES, parametersRefusal } from './media-type.js'
import { csvScoring, jsonScoring, type Scoring } from './scoring.js'

/** A body as it came. */
interface Sent {
  isCsv: boolean
  bytes: Buffer
}

/** `POST /invocations`, as MLflow's scoring server has it: one table of one cell, or many windows. */
export async function mlflowInvocations(app: FastifyInstance, context: Context): Promise<void> {
  answerErrors(app, mlflowError)
  app.removeAllContentTypeParsers()
  for (const type of ['application/json', 'text/csv']) {
    const isCsv = type === 'text/csv'
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, bytes, done) => done(null, { isCsv, bytes }))
  }
  const { MAX_STEPS } = context.config
  const options = {
    schema: invocationsSchema(MAX_STEPS),
    config: {
      bodyLimit: `${WINDOW_BYTES} bytes for each of MAX_WINDOWS windows, or BODY_LIMIT_BYTES`,
      mediaTypes: MEDIA_TYPES
    },
    bodyLimit: mostBytes(context.config),
    onRequest: [checkParameters, admission(context)],
    preParsing: unpacked(context.metrics)
  }
  app.post('/invocations', options, (request, reply) => score(context, request, reply))
}

function checkParameters(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  done(parametersRefusal(request.headers['content-type']))
}

function score(context: Context, request: FastifyRequest, reply: FastifyReply): void {
  const began = monotonicMs()
  const model = servingModel(context)
  const scoring = read(context, request.body as Sent, model)
  const { items } = scoring
  const work = forecastWhole(
    { context, model, items, began },
    {
      refuseAll: faults => scoring.refusal(faults),
      forecasted: forecasts => {
        void reply.header('content-type', 'application/json')
        sendOnWish(request, reply, JSON.stringify(scoring.answer(forecasts)))
      },
      failed: error => void reply.send(error)
    }
  )
  request.cancel = () => work.cancel()
}

function read({ config }: Context, { isCsv, bytes }: Sent, model: ServingModel): Scoring {
  const { MAX_STEPS, MAX_ROWS } = config
  const { window, features } = model.pool.bundle.manifest
  const frame = boundsOf(features.length, MAX_ROWS)
  if (isCsv) {
    if (!isUtf8(bytes)) throw new ServiceError('invalid_utf8', 'the body is not UTF-8')
    return csvScoring(bytes.toString(), frame)
  }
  const most = mostWindows(config)
  const mostParts = Math.max(MAX_ROWS * (features.length + 2), most * (window + 4))
  const limits = { mostSteps: MAX_STEPS, mostWindows: most, frame }
  return jsonScoring(parseJsonBody(bytes, mostParts), model, limits)
}
