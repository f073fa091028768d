import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'

const DESCRIPTION = {
  openapi: '3.1.0',
  info: {
    title: 'gru-inference',
    description: 'Forecasts of mobile-cell traffic by the promoted GRU. Raw rows in, raw rows out.'
  },
  tags: [
    { name: 'forecast', description: 'Windows in, forecasts out' },
    { name: 'model', description: 'The model that serves' },
    { name: 'health', description: 'For load balancers and supervisors' },
    { name: 'operation', description: 'For operators' },
    { name: 'admin', description: 'With a bearer token; off without one' }
  ],
  components: { securitySchemes: { bearer: { type: 'http' as const, scheme: 'bearer' } } }
}

/**
 * The package's own policy is not used: it has browsers turn plain HTTP into HTTPS, which is not served here, and lets
 * pictures come from another host. Swagger UI styles elements inline, and its icons are `data:`.
 */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'"
}

/** Headers of one connection, which are not passed on from the inner answer. */
const HOP_BY_HOP = ['connection', 'date', 'keep-alive', 'transfer-encoding']

/**
 * `GET /docs` and `GET /openapi.json`. Must come before the other routes, for it takes down what each says of itself.
 * The description and Swagger UI are made when first asked for: what they load is a third of a cold start.
 */
export function docsRoutes(app: FastifyInstance, version: string, exampleBody: () => object | undefined): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => void routes.push(route))
  let docs: Promise<FastifyInstance> | undefined
  const open = () => (docs ??= openDocs(routes, version, exampleBody()))

  app.get('/openapi.json', { schema: { hide: true } }, async () => (await open()).swagger())
  const show = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = await (await open()).inject({ method: 'GET', url: request.url })
    const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name))
    return reply.code(answer.statusCode).headers(Object.fromEntries(headers)).send(answer.rawPayload)
  }
  app.get('/docs', { schema: { hide: true } }, show)
  app.get('/docs/*', { schema: { hide: true } }, show)
}

/** An app with the same routes, without their handlers, and Swagger UI; `example` is for the one route with a body. */
async function openDocs(routes: RouteOptions[], version: string, example?: object): Promise<FastifyInstance> {
  const [swagger, swaggerUi] = await Promise.all([import('@fastify/swagger'), import('@fastify/swagger-ui')])
  const docs = Fastify({ exposeHeadRoutes: false })
  docs.setValidatorCompiler(() => () => true)
  docs.setSerializerCompiler(() => data => JSON.stringify(data))
  const { info } = DESCRIPTION
  await docs.register(swagger.default, { openapi: { ...DESCRIPTION, info: { ...info, version } } })
  for (const { method, url, schema = {} } of routes) {
    if (method === 'HEAD' || schema.hide) continue
    // An example of the media type, not of its schema: what makes types from the description would copy it into them.
    const examples = example && {
      'x-examples': { window: { summary: 'A window of the model that serves', value: example } }
    }
    const body = schema.body ? { body: { ...(schema.body as object), ...examples } } : {}
    docs.route({ method, url, schema: { ...schema, ...body }, handler: () => undefined })
  }
  // Without null the page shows the description to a public validator, from any host but localhost.
  const uiConfig = { docExpansion: 'list', validatorUrl: null } as const
  await docs.register(swaggerUi.default, { routePrefix: '/docs', uiConfig, staticCSP: POLICY })
  await docs.ready()
  return docs
}
