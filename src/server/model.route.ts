import type { FastifyInstance } from 'fastify'
import { ServiceError } from '../errors.js'
import type { Context } from './context.js'
import { exampleSchema, modelSchema } from './model.schema.js'

/** The state of the model as `GET /model` and the admin routes show it. */
export function describeModel({ active }: Context) {
  const { serving, lastPromotion } = active
  return {
    ready: active.ready,
    model: serving ? { ...serving.pool.bundle.manifest, since: serving.since.toISOString() } : null,
    last_promotion: lastPromotion ? { ...lastPromotion, at: lastPromotion.at.toISOString() } : null
  }
}

/** `GET /model`, and `GET /model/example`: a window to try the service with, whatever model serves. */
export async function modelRoutes(app: FastifyInstance, context: Context): Promise<void> {
  app.get('/model', { schema: modelSchema }, () => describeModel(context))

  app.get('/model/example', { schema: exampleSchema }, () => {
    const serving = context.active.serving
    if (!serving) throw new ServiceError('model_not_ready', 'no model is loaded')
    const { manifest, golden } = serving.pool.bundle
    const { time, window, forecast } = golden.windows[0]!
    const columns = manifest.features.map(({ name }, index) => [name, window.map(row => row[index]!)] as const)
    return {
      body: { index_col: 'ts', data: { ts: time, ...Object.fromEntries(columns) } },
      expected: Object.fromEntries(manifest.features.map(({ name }, index) => [name, forecast[index]!]))
    }
  })
}
