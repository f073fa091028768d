import { ServiceError } from '../../errors.js'
import { jsonPointer } from '../../json-pointer.js'
import type { Manifest } from '../bundle/manifest.js'

const SHOWN_NAMES = 20

/** What is wrong with a table whose columns are not exactly the features and the times. */
export function badColumns(
  features: Manifest['features'],
  data: Record<string, unknown>,
  indexName: string
): ServiceError {
  const names = features.map(({ name }) => name)
  const missing = names.filter(name => !Object.hasOwn(data, name))
  if (missing.length > 0) return new ServiceError('missing_column', `data has no column ${listed(missing)}`, '/data')
  const unknown = Object.keys(data).find(name => name !== indexName && !names.includes(name))
  if (unknown === undefined) {
    const text = `${indexName} is a feature: index_col must name another column`
    return new ServiceError('missing_index', text, '/index_col')
  }
  const text = `the model has no such column: send only ${listed(names)} and the times`
  return new ServiceError('unknown_column', text, jsonPointer('data', unknown))
}

/** Names of a manifest, which may have many long ones, in words that stay short. */
function listed(names: string[]): string {
  const shown = names.slice(0, SHOWN_NAMES)
  const more = names.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more (GET /model lists all)` : '')
}
