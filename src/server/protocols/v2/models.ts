import { ServiceError } from '../../../errors.js'
import type { ServingModel } from '../../../model/promotion/active-model.js'
import type { Context } from '../../context.js'
import { servingModel } from '../../predict/admission.js'

/** Who a request is for; no version, or an empty one, is the one that serves. */
export interface ModelName {
  model: string
  version?: string | undefined
}

/**
 * The model that serves, if it is the one that is named.
 * @throws ServiceError for another model or version, naming what serves, and where none serves
 */
export function namedModel(context: Context, { model, version = '' }: ModelName): ServingModel {
  const serving = servingModel(context)
  const { name, version: own } = serving.pool.bundle.manifest
  if (model !== name) throw new ServiceError('not_found', `no such model: ${name} serves, at version ${own}`)
  if (version === '' || version === own) return serving
  throw new ServiceError('not_found', `no such version of ${name}: version ${own} serves`)
}
