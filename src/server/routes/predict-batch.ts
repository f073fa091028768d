import type { ValidateFunction } from 'ajv'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../../clock.js'
import { ServiceError } from '../../errors.js'
import type { Forecast } from '../../model/inference/forecast.js'
import type { ServingModel } from '../../model/promotion/active-model.js'
import { exactly } from '../../validate.js'
import type { Context } from '../context.js'
import { errorBody } from '../error-body.js'
import { sendOnWish } from '../http/answer-packed.js'
import { unpacked } from '../http/unpack.js'
import { admission, refuse, servingModel } from '../predict/admission.js'
import { predictAnswer } from '../predict/answer.js'
import { forecastsAnswered } from '../predict/answered.js'
import { Batch, mostWindows, type Item, type Outcome } from '../predict/batch.js'
import { mostBytes, WINDOW_BYTES } from '../predict/body-limit.js'
import { elementsOf } from '../predict/body-list.js'
import { invalidBody, type SchemaFault } from '../predict/invalid-body.js'
import { parseJsonBody } from '../predict/json-body.js'
import { type PredictBody, predictBatchSchema, predictSchema } from '../schemas/predict.js'

/** `POST /predict/batch`: many windows in one call, each answered by its forecast or its error. */
export async function predictBatchRoute(app: FastifyInstance, context: Context): Promise<void> {
  const { MAX_STEPS, MAX_ROWS, DEADLINE_MS } = context.config
  const most = mostWindows(context.config)
  // Made for the first unusual window: building it would cost every start some milliseconds.
  let validate: ValidateFunction<PredictBody> | undefined
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const readItem = (element: Buffer, model: ServingModel): Item => {
    const scanned = model.reader.scan(element, MAX_STEPS)
    if (scanned) return { scanned, steps: scanned.steps }
    const table = parseJsonBody(element)
    validate ??= exactly.compile<PredictBody>(predictSchema(MAX_STEPS).body)
    if (validate(table)) return { table, steps: table.inference_length ?? 1 }
    return invalidBody(validate.errors![0] as SchemaFault, table, MAX_STEPS)
  }

  const options = {
    schema: predictBatchSchema(MAX_STEPS, most, MAX_ROWS),
    config: { bodyLimit: `${WINDOW_BYTES} bytes for each of MAX_WINDOWS windows` },
    bodyLimit: mostBytes(context.config),
    onRequest: admission(context),
    preParsing: unpacked(context.metrics)
  }
  app.post('/predict/batch', options, (request: FastifyRequest, reply: FastifyReply) => {
    const began = monotonicMs()
    const model = servingModel(context)
    const items = elementsOf(request.body as Buffer, most).map((element, index) => {
      try {
        return readItem(element, model)
      } catch (error) {
        const failure = error as ServiceError
        // Where an element is no JSON, where it ends is a guess.
        if (failure.code === 'malformed_json') throw within(index, failure)
        return failure
      }
    })
    const ended = (outcomes: readonly Outcome[]) => {
      answer(request, reply, outcomes)
      const forecasts = outcomes.filter((outcome): outcome is Forecast => !(outcome instanceof ServiceError))
      forecastsAnswered(context, forecasts, began)
    }
    try {
      const batch = new Batch({ model, items, deadline: began + DEADLINE_MS, patienceMs: DEADLINE_MS }, ended)
      request.cancel = () => batch.cancel()
    } catch (error) {
      throw refuse(context, error as ServiceError)
    }
  })
}

/** The same error of the element at `index`. */
function within(index: number, { code, message, path = '' }: ServiceError): ServiceError {
  return new ServiceError(code, message, `/${index}${path}`)
}

function answer(request: FastifyRequest, reply: FastifyReply, outcomes: readonly Outcome[]): void {
  const texts = outcomes.map((outcome, index) =>
    outcome instanceof ServiceError
      ? JSON.stringify(errorBody(within(index, outcome)))
      : predictAnswer(outcome, request.id)
  )
  void reply.header('content-type', 'application/json; charset=utf-8')
  sendOnWish(request, reply, `[${texts.join()}]`)
}
