import { tmpdir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import type { ErrorObject } from 'ajv'
import type { FromSchema } from 'json-schema-to-ts'
import { PromotionSettings } from './promotion.js'
import { exactly } from '../validate.js'
import { sourceComplaint, SourceSettings } from './model-source.js'
import { NO_TELEMETRY } from '../host/telemetry.js'

/** A day. A timer beyond 2^31 - 1 ms fires at once, and Node adds a second to the keep-alive time. */
const MAX_TIMER_MS = 86_400_000

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

interface Range {
  default: number
  minimum: number
  maximum: number
  description: string
}

const integer = (range: Range) => ({ type: 'integer', ...range }) as const
const ms = (standard: number, description: string, minimum = 1) =>
  integer({ default: standard, minimum, maximum: MAX_TIMER_MS, description })

/** Every setting, by the name of its environment variable. docs/reference/settings.md is compared with this by a test. */
export const ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    HOST: {
      type: 'string',
      default: '127.0.0.1',
      minLength: 1,
      description: 'Address to listen on; of a name its first one.'
    },
    PORT: integer({
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      description: 'Port to listen on; 0 takes a free one.'
    }),
    ADMIN_PORT: integer({
      default: -1,
      minimum: -1,
      maximum: 65_535,
      description:
        'Second port, which has all routes; those of operators are then on no other. 0 takes a free one, -1 none: they are on `PORT`, for callers of this host only.'
    }),
    ADMIN_HOST: { type: 'string', default: '', description: 'Address for `ADMIN_PORT`; empty for that of `HOST`.' },
    MODEL_DIR: {
      type: 'string',
      default: 'models/gru',
      minLength: 1,
      description: 'Folder of the model bundle to serve.'
    },
    ...SourceSettings,
    ...PromotionSettings,
    WORKERS: integer({
      default: 1,
      minimum: 1,
      maximum: 64,
      description: 'Worker threads, each with a session of its own. One keeps up with one main thread.'
    }),
    BATCH_CAP: integer({ default: 16, minimum: 1, maximum: 256, description: 'Rows of a batch at the most.' }),
    QUEUE_ROWS: integer({
      default: 4096,
      minimum: 1,
      maximum: 65_536,
      description:
        'Requests that may wait or run at once. One more is refused with 429, and so is a request that could not end in time.'
    }),
    DEADLINE_MS: ms(
      2000,
      'Time a request may wait for the model before it is answered 504 without being run. One that would need more than half of it is refused at once.'
    ),
    RUN_TIMEOUT_MS: ms(
      10_000,
      'Time one batch may run before its rows are given up and the replica turns not ready.',
      100
    ),
    MAX_STEPS: integer({
      default: 30,
      minimum: 1,
      maximum: 1000,
      description: 'Largest `inference_length` of a request.'
    }),
    MAX_ROWS: integer({ default: 1000, minimum: 1, maximum: 100_000, description: 'Most rows of a table.' }),
    BODY_LIMIT_BYTES: integer({
      default: 327_680,
      minimum: 1024,
      maximum: 67_108_864,
      description: 'Largest request body; a table of `MAX_ROWS` rows must fit.'
    }),
    REQUEST_TIMEOUT_MS: ms(2000, 'Time a client may take to send its request, headers and body.', 100),
    SOCKET_TIMEOUT_MS: ms(30_000, 'Time a client may leave an answer unread before its connection is cut.', 100),
    MAX_CONNECTIONS: integer({
      default: 4096,
      minimum: 16,
      maximum: 1_000_000,
      description: 'Most connections of a listener; for one more the oldest that has nothing under way is closed.'
    }),
    KEEP_ALIVE_MS: ms(72_000, 'Time an idle connection is kept; longer than the load balancer keeps its own.'),
    DRAIN_DELAY_MS: ms(2000, 'After SIGTERM: time of not-ready while requests are still taken.', 0),
    GRACE_MS: ms(10_000, 'After SIGTERM: time by which the process has exited, delay included.'),
    WORKER_HEAP_MB: integer({
      default: 64,
      minimum: 16,
      maximum: 4096,
      description: "JavaScript heap of a worker in MiB; the model's own memory lies outside it."
    }),
    ADMIN_TOKEN: {
      type: 'string',
      default: '',
      pattern: '^([!-~]{16,})?$',
      description: 'Bearer token of the admin routes, 16 characters or more; empty turns them off.'
    },
    LOG_LEVEL: { type: 'string', enum: LOG_LEVELS, default: 'info', description: 'Least severe level that is logged.' },
    LOG_REQUESTS: { type: 'boolean', default: false, description: 'One log line for each request.' }
  }
} as const

export type Config = FromSchema<typeof ConfigSchema>

/** A setting that cannot be used; the message is one line, names the variable and never shows its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

function describe({ instancePath, keyword, message, params }: ErrorObject): string {
  const name = instancePath.slice(1)
  if (keyword === 'enum') return `${name} must be one of ${(params.allowedValues as string[]).join(', ')}`
  if (name === 'ADMIN_TOKEN') return `${name} must have 16 or more printable characters without spaces, or be empty`
  return `${name} ${message ?? 'is not valid'}`
}

/** Settings that are each in range but cannot stand together. */
function checkTogether(config: Config): void {
  if (config.DRAIN_DELAY_MS >= config.GRACE_MS) throw new ConfigError('DRAIN_DELAY_MS must be less than GRACE_MS')
  if (config.KAFKA_BROKERS === '' && config.KAFKA_TOPIC !== PromotionSettings.KAFKA_TOPIC.default) {
    throw new ConfigError('KAFKA_TOPIC says nothing without KAFKA_BROKERS: leave it out')
  }
  const complaint = sourceComplaint(config)
  if (complaint !== undefined) throw new ConfigError(complaint)
  if (config.ADMIN_PORT > 0 && config.ADMIN_PORT === config.PORT) throw new ConfigError('ADMIN_PORT must not be PORT')
  if (config.ADMIN_PORT < 0 && config.ADMIN_HOST !== '') {
    throw new ConfigError('ADMIN_HOST says nothing without ADMIN_PORT: leave it out')
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
  const { MODEL_DIR, CACHE_DIR } = config
  return { ...config, MODEL_DIR: resolve(MODEL_DIR), CACHE_DIR: CACHE_DIR && resolve(CACHE_DIR) }
}
