import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monotonicMs } from '../../../clock.js'
import { ServiceError } from '../../../errors.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import { type Context, isReady } from '../../context.js'
import { answerErrors } from '../../error-handler.js'
import { sendOnWish } from '../../http/answer-packed.js'
import { unpacked } from '../../http/unpack.js'
import { admission } from '../../predict/admission.js'
import { mostBytes, WINDOW_BYTES } from '../../predict/body-limit.js'
import { mostWindows } from '../../predict/batch.js'
import { binaryAnswer, HEADER_LENGTH, jsonAnswer } from './answers.js'
import { v2Error } from './errors.js'
import { infer } from './infer.js'
import { inferReader, type RestInferRequest } from './infer-request.js'
import { modelConfig, modelMetadata, repositoryIndex, serverMetadata } from './metadata.js'
import { type ModelName, namedModel } from './models.js'
import * as schemas from './schemas.js'
import { statisticsOf } from './statistics.js'

type NamedRequest = FastifyRequest<{ Params: ModelName }>

export interface V2Options extends Context {
  /** of the service */
  version: string
}

const MODEL = '/models/:model'
/** What supervisors and clients ask before they have a key. */
const PROBED = { isKeyless: true }

/** The Open Inference Protocol V2 over HTTP, with the extensions that its clients use; registered under `/v2`. */
export async function v2Routes(app: FastifyInstance, { version, ...context }: V2Options): Promise<void> {
  answerErrors(app, v2Error)
  app.setNotFoundHandler(() => {
    throw new ServiceError('not_found', 'this path has no route')
  })
  // The clients of peers send no content type, or another one than the body has: only the header tells what is in it.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  serverRoutes(app, context, version)
  for (const path of [MODEL, `${MODEL}/versions/:version`]) modelRoutes(app, context, path)
  repositoryRoutes(app, context)
}

function serverRoutes(app: FastifyInstance, context: Context, version: string): void {
  // By the text of the protocol it is the first, by its OpenAPI description the second.
  app.get('', { schema: schemas.serverMetadata('v2Server') }, () => serverMetadata(version))
  const slash = { schema: schemas.serverMetadata('v2ServerSlash'), prefixTrailingSlash: 'slash' } as const
  app.get('/', slash, () => serverMetadata(version))
  app.get('/health/live', { schema: schemas.live, config: PROBED }, () => ({ live: true }))
  app.get('/health/ready', { schema: schemas.ready, config: PROBED }, (_request, reply) => {
    const ready = isReady(context)
    return reply.code(ready ? 200 : 503).send({ ready })
  })
  app.get('/models/stats', { schema: schemas.stats('v2Statistics') }, () => {
    const { serving } = context.active
    return { model_stats: serving ? [statisticsOf(serving.pool.bundle.manifest, serving.pool.statistics)] : [] }
  })
}

/** The routes of a model, by its name alone or by its version too. */
function modelRoutes(app: FastifyInstance, context: Context, path: string): void {
  const { config } = context
  const most = mostWindows(config)
  const of = path === MODEL ? '' : 'Version'
  const named = (request: NamedRequest) => namedModel(context, request.params)
  const manifestOf = (request: NamedRequest) => named(request).pool.bundle.manifest
  app.get(path, { schema: schemas.model(`v2Model${of}`) }, (request: NamedRequest) =>
    modelMetadata(manifestOf(request))
  )
  app.get(`${path}/config`, { schema: schemas.config(`v2Config${of}`) }, (request: NamedRequest) =>
    modelConfig(manifestOf(request), most)
  )
  app.get(`${path}/stats`, { schema: schemas.stats(`v2ModelStatistics${of}`) }, (request: NamedRequest) => {
    const { bundle, statistics } = named(request).pool
    return { model_stats: [statisticsOf(bundle.manifest, statistics)] }
  })
  const probed = { schema: schemas.modelReady(`v2ModelReady${of}`), config: PROBED }
  app.get(`${path}/ready`, probed, (request: NamedRequest, reply) => {
    const { name } = manifestOf(request)
    const ready = isReady(context)
    return reply.code(ready ? 200 : 503).send({ name, ready })
  })
  const reader = inferReader(config)
  const options = {
    schema: schemas.infer(`v2Infer${of}`, config.MAX_STEPS),
    config: { bodyLimit: `${WINDOW_BYTES} bytes for each of MAX_WINDOWS windows` },
    bodyLimit: mostBytes(config),
    onRequest: admission(context),
    preParsing: unpacked(context.metrics)
  }
  app.post(`${path}/infer`, options, (request: NamedRequest, reply) => {
    const began = monotonicMs()
    const model = named(request)
    const { body = Buffer.alloc(0), headers } = request as { body?: Buffer; headers: NodeJS.Dict<string> }
    const asked = reader.read(body, headers[HEADER_LENGTH], model.pool.bundle.manifest)
    const listener = {
      forecasted: (forecasts: readonly Forecast[]) => answer(request, reply, forecasts, asked),
      failed: (error: ServiceError) => void reply.send(error)
    }
    const work = infer({ context, model, request: asked, began }, listener)
    request.cancel = () => work.cancel()
  })
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  forecasts: readonly Forecast[],
  asked: RestInferRequest
): void {
  if (!asked.isBinary) {
    void reply.header('content-type', 'application/json; charset=utf-8')
    return sendOnWish(request, reply, jsonAnswer(forecasts, asked))
  }
  const { body, jsonBytes } = binaryAnswer(forecasts, asked)
  void reply.header('content-type', 'application/octet-stream').header(HEADER_LENGTH, jsonBytes)
  sendOnWish(request, reply, body)
}

function repositoryRoutes(app: FastifyInstance, context: Context): void {
  app.post('/repository/index', { schema: schemas.index }, () => {
    const { serving } = context.active
    return serving ? repositoryIndex(serving.pool.bundle.manifest, context.active.ready) : []
  })
  for (const what of ['load', 'unload'] as const) {
    app.post(`/repository/models/:model/${what}`, { schema: schemas.refused(what) }, () => {
      const text = `${what} is not supported: the registry's promotion says which version serves, POST /admin/reload asks for it anew`
      throw new ServiceError('bad_request', text)
    })
  }
}
