import { readdir } from 'node:fs/promises'
import { withComponents } from '../schemas/components.js'
import type { Example } from '../schemas/example.js'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'

const DESCRIPTION = {
  openapi: '3.1.0',
  info: {
    title: 'gru-inference',
    description: 'Forecasts of mobile-cell traffic by the promoted GRU model. Windows and forecasts are in raw units.'
  },
  tags: [
    { name: 'forecast', description: 'Windows in, forecasts out' },
    { name: 'timeseries', description: 'Forecasts by the time series protocol of KServe' },
    { name: 'mlflow', description: 'Forecasts as the scoring server of MLflow gives them' },
    { name: 'model', description: 'The live model' },
    { name: 'health', description: 'For load balancers and supervisors' },
    { name: 'operation', description: 'For operators' },
    {
      name: 'admin',
      description: 'For operators with the bearer token; these routes exist only where ADMIN_TOKEN is set'
    }
  ],
  components: {
    securitySchemes: {
      bearer: { type: 'http' as const, scheme: 'bearer' },
      apiKey: { type: 'apiKey' as const, in: 'header', name: 'x-api-key' }
    }
  }
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

/** Headers of one connection, or of a piece of a file, which are not passed on from the inner answer. */
const NOT_PASSED_ON = ['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'accept-ranges']

/** What Swagger UI serves beside its files. */
const PAGES = [
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/yaml',
  '/docs/static/index.html',
  '/docs/static/swagger-initializer.js'
]

interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/**
 * `GET /docs` and `GET /openapi.json`, for the scope that they are given. Must come before the other routes of `app`, for it
 * takes down what each says of itself. The description and Swagger UI are made when first asked for: what they load is a
 * third of a cold start. Each answer is made once and its bytes are shared: a file is 1.5 MB, and as many callers may ask as
 * there are connections.
 */
export function docsRoutes(
  app: FastifyInstance,
  version: string,
  example: () => Example | undefined
): (scope: FastifyInstance) => void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => void routes.push(route))
  let docs: Promise<Docs> | undefined
  const open = () => (docs ??= openDocs(routes, version, example()))

  const show = async (request: FastifyRequest, reply: FastifyReply, path: string) => {
    const answer = await (await open()).answer(path)
    if (!answer) return reply.callNotFound()
    const { status, headers, body } = answer
    void reply.headers(headers)
    // Fastify would state a length of 0 for a HEAD that is answered 304.
    const known = request.method === 'GET' && isKnown(request.headers['if-none-match'], headers.etag)
    return known ? reply.code(304).send() : reply.code(status).send(body)
  }
  return scope => {
    scope.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
      return reply.type('application/json; charset=utf-8').send((await open()).description)
    })
    scope.get('/docs', { schema: { hide: true } }, (request, reply) => show(request, reply, '/docs'))
    scope.get<{ Params: { '*': string } }>('/docs/*', { schema: { hide: true } }, (request, reply) =>
      show(request, reply, `/docs/${request.params['*']}`)
    )
  }
}

/** Whether a caller has what an entity tag stands for: RFC 9110 13.1.2, compared weakly. */
function isKnown(asked: string | undefined, tag: string | undefined): boolean {
  if (asked === undefined || tag === undefined) return false
  const opaque = (text: string) => text.trim().replace(/^W\//, '')
  return asked.trim() === '*' || asked.split(',').some(known => opaque(known) === opaque(tag))
}

/** What is shown under `/docs`: a closed list of paths, so that nobody can fill the memory with others. */
class Docs {
  readonly description: Buffer
  readonly #paths: ReadonlySet<string>
  readonly #answers = new Map<string, Promise<Answer>>()
  readonly #inner: FastifyInstance

  constructor(inner: FastifyInstance, files: string[]) {
    this.#inner = inner
    this.#paths = new Set([...PAGES, ...files.map(file => `/docs/static/${file}`)])
    this.description = Buffer.from(JSON.stringify(inner.swagger()))
  }

  /** Undefined when there is nothing at this path. */
  answer(path: string): Promise<Answer> | undefined {
    if (!this.#paths.has(path)) return undefined
    const answer = this.#answers.get(path) ?? this.#make(path)
    this.#answers.set(path, answer)
    return answer
  }

  async #make(url: string): Promise<Answer> {
    const { statusCode, headers, rawPayload } = await this.#inner.inject({ method: 'GET', url })
    const passed = Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name))
    return { status: statusCode, headers: Object.fromEntries(passed) as Answer['headers'], body: rawPayload }
  }
}

/** What a route's schema says beside what Fastify knows. */
interface Described {
  describedBody?: object
  /** makes an example of the body */
  exampleAs?: (example: Example) => unknown
}

/** An app with the same routes, without their handlers, and Swagger UI; `example` is for the routes with a body. */
async function openDocs(routes: RouteOptions[], version: string, example?: Example): Promise<Docs> {
  const [swagger, swaggerUi] = await Promise.all([import('@fastify/swagger'), import('@fastify/swagger-ui')])
  const docs = Fastify({ exposeHeadRoutes: false })
  docs.setValidatorCompiler(() => () => true)
  docs.setSerializerCompiler(() => data => JSON.stringify(data))
  const { info } = DESCRIPTION
  await docs.register(swagger.default, {
    openapi: { ...DESCRIPTION, info: { ...info, version } },
    transformObject: described =>
      withComponents((described as { openapiObject: Record<string, unknown> }).openapiObject)
  })
  for (const { method, url, schema = {} } of routes) {
    if (method === 'HEAD' || schema.hide) continue
    const { describedBody: asked, exampleAs, ...others } = schema as typeof schema & Described
    // An example of the media type, not of its schema: what makes types from the description would copy it into them.
    const value = example && exampleAs?.(example)
    const examples = value !== undefined && {
      'x-examples': { window: { summary: 'A window of the live model', value } }
    }
    const body = asked && { body: { ...asked, ...examples } }
    docs.route({ method, url, schema: { ...others, ...body }, handler: () => undefined })
  }
  // Without null the page shows the description to a public validator, from any host but localhost.
  const uiConfig = { docExpansion: 'list', validatorUrl: null } as const
  await docs.register(swaggerUi.default, { routePrefix: '/docs', uiConfig, staticCSP: POLICY })
  await docs.ready()
  return new Docs(docs, await readdir(new URL('static/', import.meta.resolve('@fastify/swagger-ui'))))
}
