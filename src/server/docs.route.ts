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

/** `GET /docs` and `GET /openapi.json`. */
export async function docsRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list' }, staticCSP: true })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
