import type { Config } from '../../settings/config.js'
import { PROMOTED } from '../../settings/model-source.js'
import type { ModelSource } from './source.js'
import { BundleCache } from './cache.js'
import type { FetchLimits } from './download.js'
import { LocalSource } from './local.js'
import { MlflowSource } from './mlflow.js'
import { type S3Options, S3Source } from './s3.js'

/** The source that the settings name. */
export function sourceOf(config: Config): ModelSource {
  if (config.MODEL_SOURCE === 'local') return new LocalSource(config.MODEL_DIR)
  if (config.MODEL_SOURCE === 's3') return new S3Source(storeOf(config))
  return mlflowSource(config, { alias: config.MODEL_ALIAS || PROMOTED, version: config.MODEL_VERSION })
}

/** The version that `SHADOW_ALIAS` names, of the same registered model. */
export function shadowSourceOf(config: Config): ModelSource {
  return mlflowSource(config, { alias: config.SHADOW_ALIAS, version: '' })
}

function mlflowSource(config: Config, which: { alias: string; version: string }): ModelSource {
  const trackingUri = config.MLFLOW_TRACKING_URI.replace(/\/+$/, '')
  const store = config.S3_BUCKET === '' ? undefined : storeOf(config)
  return new MlflowSource({ trackingUri, name: config.MODEL_NAME, ...which, store, ...limitsOf(config) })
}

function limitsOf({ FETCH_TIMEOUT_MS: fetchTimeoutMs, MODEL_MAX_BYTES: maxBytes }: Config): FetchLimits {
  return { fetchTimeoutMs, maxBytes }
}

function storeOf(config: Config): S3Options {
  return {
    endpoint: config.S3_ENDPOINT,
    region: config.S3_REGION,
    bucket: config.S3_BUCKET,
    prefix: config.S3_PREFIX,
    accessKeyId: config.S3_ACCESS_KEY_ID,
    secretAccessKey: config.S3_SECRET_ACCESS_KEY,
    ...limitsOf(config)
  }
}

/** The cache that the settings name, not opened yet; undefined without one. */
export function cacheOf(config: Config, warn: (message: string) => void): BundleCache | undefined {
  if (config.CACHE_DIR === '') return undefined
  const { MODEL_SOURCE, MLFLOW_TRACKING_URI, MODEL_NAME, MODEL_ALIAS, MODEL_VERSION } = config
  const { S3_ENDPOINT, S3_BUCKET, S3_PREFIX } = config
  const registry = [MLFLOW_TRACKING_URI, MODEL_NAME, MODEL_ALIAS, MODEL_VERSION]
  const origin = JSON.stringify([MODEL_SOURCE, ...registry, S3_ENDPOINT, S3_BUCKET, S3_PREFIX])
  return new BundleCache({ folder: config.CACHE_DIR, origin, warn })
}
