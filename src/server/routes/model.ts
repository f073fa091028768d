import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.js'
import type { Bundle } from '../../model/bundle/bundle.js'
import type { Manifest } from '../../model/bundle/manifest.js'
import type { ActiveModel } from '../../model/promotion/active-model.js'
import type { Context } from '../context.js'
import { type ExampleQuery, exampleSchema, modelSchema } from '../schemas/model.js'

type ExampleRequest = FastifyRequest<{ Querystring: ExampleQuery }>

/** What a manifest says of the model itself, without its tensors and its training. */
function identity(manifest: Manifest) {
  const { name, version, run_id, created_at, architecture, features, target, window, frequency_seconds, sha256 } =
    manifest
  return { name, version, run_id, created_at, architecture, features, target, window, frequency_seconds, sha256 }
}

/** The state of the model as `GET /model` and the admin routes show it. */
export function describeModel({ active, reconciler, shadow, eventsHeard }: Context) {
  return {
    ...describeActive(active),
    promotion: { ...reconciler.state, events_heard: eventsHeard() ?? null },
    shadow: shadow ? { ...describeActive(shadow.active), ...shadow.state } : null
  }
}

function describeActive({ ready, serving, lastPromotion }: ActiveModel) {
  return {
    ready,
    model: serving ? { ...identity(serving.pool.bundle.manifest), since: serving.since.toISOString() } : null,
    last_promotion: lastPromotion ? { ...lastPromotion, at: lastPromotion.at.toISOString() } : null
  }
}

/** `GET /model`, and `GET /model/example`: a window to try the service with, whatever model serves. */
export async function modelRoutes(app: FastifyInstance, context: Context): Promise<void> {
  app.get('/model', { schema: modelSchema }, () => describeModel(context))

  app.get('/model/example', { schema: exampleSchema }, (request: ExampleRequest) => {
    const serving = context.active.serving
    if (!serving) throw new ServiceError('model_not_ready', 'no model is loaded')
    return exampleOf(serving.pool.bundle, Number(request.query.index ?? 0))
  })
}

/** Golden window `index` as a request body, with its golden answer. */
export function exampleOf({ manifest, golden }: Bundle, index: number) {
  const count = golden.windows.length
  const example = golden.windows[index]
  if (!example) throw new ServiceError('out_of_range', `the model has examples 0 to ${count - 1}`, '/index')
  const { time, window, forecast } = example
  const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature]!)] as const)
  return {
    index,
    count,
    body: { index_col: 'ts', data: { ts: time, ...Object.fromEntries(columns) } },
    expected: Object.fromEntries(manifest.features.map(({ name }, feature) => [name, forecast[feature]!]))
  }
}
