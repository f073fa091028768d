import type { FastifyInstance } from 'fastify'
import { type Context, isReady } from '../../context.js'
import { answerErrors } from '../../error-handler.js'
import { mlflowPingSchema, mlflowVersionSchema } from '../../schemas/mlflow.js'
import { mlflowError } from './error-form.js'

/** The MLflow whose scoring server is spoken for here: its clients compare this with their own version. */
const MLFLOW_VERSION = '3.17.2'

const PROBES = { '/ping': 'mlflowPing', '/health': 'mlflowHealth' }

/** `GET /ping`, `/health`: 404 rather than 503 where it is not ready. `GET /version`: plain text, whatever its type says. */
export async function mlflowProbes(app: FastifyInstance, context: Context): Promise<void> {
  answerErrors(app, mlflowError)
  for (const [path, operationId] of Object.entries(PROBES)) {
    app.get(path, { schema: mlflowPingSchema(operationId) }, (_request, reply) =>
      reply
        .code(isReady(context) ? 200 : 404)
        .type('application/json')
        .send('\n')
    )
  }
  app.get('/version', { schema: mlflowVersionSchema }, (_request, reply) =>
    reply.type('application/json').send(MLFLOW_VERSION)
  )
}
