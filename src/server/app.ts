import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController
} from 'fastify'
import type { IncomingMessage, Server } from 'node:http'
import { adminRoutes } from './routes/admin.js'
import { boundedServer } from './http/connections.js'
import { fastPredict } from './predict/fast-predict.js'
import { exactly } from '../validate.js'
import type { Context } from './context.js'
import { fastCallerOf, guardByKey } from './edge/callers.js'
import { allowOrigins } from './edge/cors.js'
import { docsRoutes } from './routes/docs.js'
import { badUrlHandler, handleErrors } from './error-handler.js'
import { healthRoutes } from './routes/health.js'
import { metricsRoute } from './routes/metrics.js'
import { exampleOf, modelRoutes } from './routes/model.js'
import { hungUp, observeRequests } from './request-lifecycle.js'
import { Operators } from './operators.js'
import { refuseOtherMethods } from './other-methods.js'
import { pageRoute } from './routes/page.js'
import { fastInfer } from './protocols/v2/fast-infer.js'
import { v2Routes, type V2Options } from './protocols/v2/routes.js'
import { predictBatchRoute } from './routes/predict-batch.js'
import { predictRoutes } from './routes/predict.js'
import { mlflowInvocations } from './protocols/mlflow/invocations.js'
import { mlflowProbes } from './protocols/mlflow/probes.js'
import { timeSeriesForecast } from './protocols/timeseries/forecast.js'
import type { GrpcServer } from './protocols/grpc/server.js'
import type { Calls } from './protocols/grpc/unary.js'

export interface AppOptions extends Context {
  logger: FastifyBaseLogger
  version: string
}

/** Given at once, so that Fastify's own are not even loaded. Its types know no other factories than those. */
const compilersFactory = {
  // Fastify's own turns null into 0 and "5" into 5, drops unknown fields and fills in missing ones.
  buildValidator: () => (route: { schema: unknown }) => exactly.compile(route.schema as object),
  // The hot answer is text already, and the cold ones are not worth a compiled serialiser at each start.
  buildSerializer: () => () => (data: unknown) => JSON.stringify(data)
} as unknown as NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>

/** The service's routes, and what else than Fastify's own server gets requests to them. */
export interface App {
  app: FastifyInstance
  operators: Server | undefined
  /** what listens on `GRPC_PORT`; undefined without one */
  grpc: GrpcServer | undefined
}

/** Puts the service together: it neither listens nor reads the environment. */
export async function buildApp({ logger, version, ...context }: AppOptions): Promise<App> {
  const { config, metrics, drain, keys } = context
  const nameOf = requestNames()
  const callerOf = fastCallerOf(keys, config.CORS_ORIGINS !== '')
  const fastOptions = { context, logger, nameOf, callerOf }
  const fast = [fastPredict(fastOptions), fastInfer(fastOptions)]
  const bounds = { config, metrics, drain, fast, hungUp: hungUp(config) }
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.BODY_LIMIT_BYTES,
    serverFactory: handler => boundedServer(handler, bounds),
    // The server does, in the order of what was asked.
    clientErrorHandler: () => undefined,
    forceCloseConnections: false,
    // A request that still comes in on an open connection while the service stops is answered, and then the connection ends.
    return503OnClosing: false,
    // A child logger a request would cost three microseconds each; what is logged names its request itself.
    childLoggerFactory: parent => parent,
    schemaController: { compilersFactory },
    requestIdHeader: false,
    genReqId: ({ headers }: IncomingMessage) => nameOf(headers['x-request-id']),
    frameworkErrors: badUrlHandler(metrics)
  })
  const operators = new Operators(app, config, bounds)
  observeRequests(app, context)
  handleErrors(app)
  refuseOtherMethods(app)
  // Fastify's own would parse the bodies of requests that no route takes.
  app.removeAllContentTypeParsers()
  const { active } = context
  const docs = docsRoutes(app, version, () => {
    const bundle = active.serving?.pool.bundle
    return bundle && { body: exampleOf(bundle, 0).body, manifest: bundle.manifest }
  })
  await app.register(async scope => {
    if (config.CORS_ORIGINS !== '') allowOrigins(scope, config.CORS_ORIGINS, metrics)
    await scope.register(healthRoutes, context)
    await scope.register(mlflowProbes, context)
    await scope.register(callerRoutes, { ...context, version })
  })
  await app.register(async scope => {
    operators.guard(scope)
    docs(scope)
    await scope.register(metricsRoute, context)
    await scope.register(adminRoutes, context)
    await scope.register(pageRoute)
  })
  return { app, operators: operators.server, grpc: await grpcServer({ context, logger, version, nameOf }) }
}

/** Loads what speaks gRPC only where it is asked for: no other start waits for it. */
async function grpcServer(calls: Calls): Promise<GrpcServer | undefined> {
  if (calls.context.config.GRPC_PORT < 0) return undefined
  const { GrpcServer } = await import('./protocols/grpc/server.js')
  return new GrpcServer(calls)
}

/** What callers come for: the work of the model. Where keys are asked for, they are asked for here. */
async function callerRoutes(scope: FastifyInstance, { version, ...context }: V2Options): Promise<void> {
  if (context.keys) guardByKey(scope, context.keys)
  await scope.register(predictRoutes, context)
  await scope.register(predictBatchRoute, context)
  await scope.register(v2Routes, { ...context, version, prefix: '/v2' })
  await scope.register(timeSeriesForecast, context)
  await scope.register(mlflowInvocations, context)
  await scope.register(modelRoutes, context)
}

const REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** The caller's `x-request-id` where it is harmless in a log and an answer; else one of our own, unique per process. */
function requestNames(): (given: string | string[] | undefined) => string {
  const prefix = `${Date.now().toString(36)}-${process.pid.toString(36)}-`
  let count = 0
  return given => (typeof given === 'string' && REQUEST_ID.test(given) ? given : prefix + (count++).toString(36))
}
