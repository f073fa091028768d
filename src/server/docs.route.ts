import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** Registers the collector of the routes' schemas; must come before the routes. */
export async function collectOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'gru-inference',
        description: 'Forecasts of mobile-cell traffic by the promoted GRU. Raw rows in, raw rows out.',
        version
      },
      tags: [
        { name: 'forecast', description: 'Windows in, forecasts out' },
        { name: 'model', description: 'The model that serves' },
        { name: 'health', description: 'For load balancers and supervisors' },
        { name: 'operation', description: 'For operators' },
        { name: 'admin', description: 'With a bearer token; off without one' }
      ],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }
    }
  })
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

/** `GET /docs` and `GET /openapi.json`. */
export async function docsRoutes(app: FastifyInstance): Promise<void> {
  // Without null the page shows the description to a public validator, from any host but localhost.
  const uiConfig = { docExpansion: 'list', validatorUrl: null } as const
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig, staticCSP: POLICY })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
