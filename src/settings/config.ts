import { tmpdir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import type { ErrorObject } from 'ajv'
import type { FromSchema } from 'json-schema-to-ts'
import { LimitSettings } from './limits.js'
import { PromotionSettings } from './promotion.js'
import { originsComplaint, ServerSettings } from './server.js'
import { exactly } from '../validate.js'
import { sourceComplaint, SourceSettings } from './model-source.js'
import { NO_TELEMETRY } from '../host/telemetry.js'

/** Every setting, by the name of its environment variable. docs/reference/settings.md is compared with this by a test. */
export const ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...ServerSettings, ...SourceSettings, ...PromotionSettings, ...LimitSettings }
} as const

export type Config = FromSchema<typeof ConfigSchema>

/** A setting that cannot be used; the message is one line, names the variable and never shows its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

interface Setting {
  type: string
  title?: string
  minimum?: number
  maximum?: number
}

function describe({ instancePath, keyword, params }: ErrorObject): string {
  const name = instancePath.slice(1)
  const { type, title = 'text', minimum, maximum } = (ConfigSchema.properties as Record<string, Setting>)[name]!
  if (keyword === 'enum') return `${name} must be one of ${(params.allowedValues as string[]).join(', ')}`
  if (keyword === 'minLength') return `${name} must not be empty`
  if (type === 'boolean') return `${name} must be true or false`
  if (type === 'integer') return `${name} must be a whole number from ${minimum} to ${maximum}`
  if (type === 'number') return `${name} must be a number from ${minimum} to ${maximum}`
  const form = title.replaceAll('`', '')
  return name === 'ADMIN_TOKEN' ? `${name} must be ${form}, or empty` : `${name} must be ${form}`
}

/** Settings that are each in range but cannot stand together. */
function checkTogether(config: Config): void {
  if (config.DRAIN_DELAY_MS >= config.GRACE_MS) throw new ConfigError('DRAIN_DELAY_MS must be less than GRACE_MS')
  if (config.KAFKA_BROKERS === '' && config.KAFKA_TOPIC !== PromotionSettings.KAFKA_TOPIC.default) {
    throw new ConfigError('KAFKA_TOPIC has no effect without KAFKA_BROKERS: leave KAFKA_TOPIC out')
  }
  const complaint = sourceComplaint(config) ?? originsComplaint(config)
  if (complaint !== undefined) throw new ConfigError(complaint)
  if (config.ADMIN_PORT > 0 && config.ADMIN_PORT === config.PORT) throw new ConfigError('ADMIN_PORT must not be PORT')
  for (const other of ['PORT', 'ADMIN_PORT'] as const) {
    if (config.GRPC_PORT > 0 && config.GRPC_PORT === config[other])
      throw new ConfigError(`GRPC_PORT must not be ${other}`)
  }
  if (config.ADMIN_PORT < 0 && config.ADMIN_HOST !== '') {
    throw new ConfigError('ADMIN_HOST has no effect without ADMIN_PORT: leave ADMIN_HOST out')
  }
  checkBatches(config)
}

function checkBatches({ BATCH_CAP, QUEUE_ROWS }: Config): void {
  if (BATCH_CAP > QUEUE_ROWS) throw new ConfigError('BATCH_CAP must not be more than QUEUE_ROWS')
}

/** The text of a variable as its type; left as text, and refused by the schema, if it is none. */
function convert(type: string, text: string): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'number' && /^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

type Environment = Record<string, string | undefined>

/** Reads each setting as it stands; throws `ConfigError` for the first that is not in range. */
function readEach(environment: Environment): Config {
  const values = Object.fromEntries(
    Object.entries(ConfigSchema.properties).map(([name, { type, default: standard }]) => {
      const text = environment[name]
      return [name, text === undefined ? standard : convert(type, text)]
    })
  )
  // A folder is written file by file, and not by a registry that says when it is whole.
  if (values.MODEL_SOURCE === 'local' && environment.POLL_INTERVAL_MS === undefined) values.POLL_INTERVAL_MS = 0
  const validate = exactly.compile<Config>(ConfigSchema)
  if (!validate(values)) throw new ConfigError(describe(validate.errors![0]!))
  return values
}

/** Reads the settings, from the process's environment unless told otherwise. Variables not in the schema are ignored. */
export function loadConfig(environment: Environment = process.env): Config {
  const config = readEach(environment)
  checkTogether(config)
  return config
}

/** Settings that say what a bundle may be and what may be asked of it; the check of a bundle has no others. */
const CHECK_SETTINGS = [
  'SANDBOX_TIMEOUT_MS',
  'SANDBOX_MEMORY_MB',
  'MODEL_MAX_BYTES',
  'MAX_ROWS',
  'BATCH_CAP',
  'QUEUE_ROWS',
  'WORKERS',
  'WORKER_HEAP_MB',
  'RUN_TIMEOUT_MS',
  'MLFLOW_TRACKING_URI',
  'S3_BUCKET',
  'S3_PREFIX'
] as const

/** Reads the settings of `CHECK_SETTINGS`; all others have their defaults, whatever the environment says. */
export function loadCheckConfig(environment: Environment = process.env): Config {
  const config = readEach(Object.fromEntries(CHECK_SETTINGS.map(name => [name, environment[name]])))
  checkBatches(config)
  return config
}

/**
 * Turns off what libraries do unasked and have no other switch for than the environment. To be called before they are loaded, in the
 * main thread: its environment is that of the process.
 */
export function quietLibraries(): void {
  Object.assign(process.env, NO_TELEMETRY, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' })
}

/**
 * The settings with folders that stay where they are whichever folder the process goes to, and the same for the folder of temporary
 * files, which has no setting here. To be called in the folder that the process was started in.
 */
export function settled(config: Config): Config {
  if (!isAbsolute(tmpdir())) process.env.TMPDIR = resolve(tmpdir())
  const { MODEL_DIR, CACHE_DIR, API_KEYS_FILE } = config
  return {
    ...config,
    MODEL_DIR: resolve(MODEL_DIR),
    CACHE_DIR: CACHE_DIR && resolve(CACHE_DIR),
    API_KEYS_FILE: API_KEYS_FILE && resolve(API_KEYS_FILE)
  }
}
