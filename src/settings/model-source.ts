/** Settings of where the promoted model comes from; a part of the schema in config.ts, which reads them. */

const SOURCES = ['local', 's3', 'mlflow'] as const

const text = (description: string, pattern: string, standard = '') =>
  ({ type: 'string', default: standard, pattern, description }) as const
const integer = (standard: number, minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', default: standard, minimum, maximum, description }) as const

const ORIGIN = '^(https?://[A-Za-z0-9.\\-\\[\\]:]+(/[A-Za-z0-9._~/-]*)?)?$'
const NAME = '^([A-Za-z0-9_][A-Za-z0-9_. -]{0,127})?$'

export const SourceSettings = {
  MODEL_SOURCE: {
    type: 'string',
    enum: SOURCES,
    default: 'local',
    description: 'Where the promoted model is: `MODEL_DIR`, a bucket, or what MLflow names.'
  },
  MODEL_FALLBACK: {
    type: 'boolean',
    default: false,
    description: 'Serve `MODEL_DIR` until `s3` or `mlflow` has given a model.'
  },
  MLFLOW_TRACKING_URI: text('URL of MLflow, without credentials.', ORIGIN),
  MODEL_NAME: text('Name of the registered model in MLflow.', NAME),
  MODEL_ALIAS: text('Alias of the version to serve; empty for `promoted`.', NAME),
  MODEL_VERSION: text('Version to serve whatever is promoted.', '^([1-9][0-9]{0,8})?$'),
  SHADOW_ALIAS: text('Alias of a second version that gets live rows for comparison only; empty for none.', NAME),
  SHADOW_SHARE: {
    type: 'number',
    default: 0.1,
    minimum: 0.001,
    maximum: 1,
    description: 'Share of the live rows that it gets.'
  },
  S3_ENDPOINT: text('URL of the S3 server; empty for that of the region.', ORIGIN),
  S3_REGION: text('Region of the bucket.', '^[a-z0-9-]{1,64}$', 'us-east-1'),
  S3_BUCKET: text(
    'The one bucket that models may come from; for `mlflow` empty if its own server hands them out.',
    '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$'
  ),
  S3_PREFIX: text(
    'Folder in it that models may come from; for `s3` the one with the bundle.',
    '^([A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*(/[A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*)*)?$'
  ),
  S3_ACCESS_KEY_ID: text('Key of the bucket.', '^[!-~]*$'),
  S3_SECRET_ACCESS_KEY: text('Its secret; never shown.', '^[!-~]*$'),
  CACHE_DIR: text(
    'Folder, of this replica alone, for the last two models that served: a restart needs no store. Empty for none.',
    '^[^\\u0000]*$'
  ),
  FETCH_TIMEOUT_MS: integer(30_000, 100, 3_600_000, 'Time that one of three tries to fetch a bundle may take.'),
  MODEL_MAX_BYTES: integer(67_108_864, 1024, 1_073_741_824, 'Largest file of a fetched bundle.')
} as const

type SettingName = Exclude<
  keyof typeof SourceSettings,
  'MODEL_SOURCE' | 'MODEL_FALLBACK' | 'SHADOW_SHARE' | 'FETCH_TIMEOUT_MS' | 'MODEL_MAX_BYTES'
>

/** The settings that must go together. */
type Together = Record<SettingName, string> & {
  MODEL_SOURCE: (typeof SOURCES)[number]
  MODEL_FALLBACK: boolean
  SHADOW_SHARE: number
}

const STORE: SettingName[] = ['S3_BUCKET', 'S3_PREFIX', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']
const REGISTRY: SettingName[] = ['MLFLOW_TRACKING_URI', 'MODEL_NAME']
/** What says nothing without the store. */
const WITH_STORE: SettingName[] = [...STORE, 'S3_ENDPOINT', 'S3_REGION']
const CHOICE: SettingName[] = ['MODEL_ALIAS', 'MODEL_VERSION', 'SHADOW_ALIAS']

/** Alias of the promoted version where none is set. */
export const PROMOTED = 'promoted'

/** Which settings each source cannot do without, and which say something that it would not heed. */
const RULES: Record<(typeof SOURCES)[number], { needed: SettingName[]; foreign: SettingName[] }> = {
  local: { needed: [], foreign: [...REGISTRY, ...CHOICE, ...WITH_STORE, 'CACHE_DIR'] },
  s3: { needed: STORE, foreign: [...REGISTRY, ...CHOICE] },
  mlflow: { needed: REGISTRY, foreign: [] }
}

/** What is wrong with the settings of the source taken together, as one line that names the first variable at fault. */
export function sourceComplaint(config: Together): string | undefined {
  const { needed, foreign } = RULES[config.MODEL_SOURCE]
  const useless = foreign.find(name => config[name] !== SourceSettings[name].default)
  if (useless) return `${useless} says nothing to this MODEL_SOURCE: leave it out`
  const missing = needed.find(name => config[name] === '')
  if (missing) return `${missing} must be set for this MODEL_SOURCE`
  const alone = STORE.find(name => config[name] === '')
  const given = WITH_STORE.find(name => config[name] !== SourceSettings[name].default)
  if (alone && given) return `${alone} must be set too where ${given} is`
  if (config.MODEL_ALIAS !== '' && config.MODEL_VERSION !== '') {
    return 'MODEL_VERSION and MODEL_ALIAS exclude each other'
  }
  if (config.MODEL_FALLBACK && config.MODEL_SOURCE === 'local') {
    return 'MODEL_FALLBACK says nothing to this MODEL_SOURCE: leave it out'
  }
  return shadowComplaint(config)
}

function shadowComplaint({ SHADOW_ALIAS, MODEL_ALIAS, MODEL_VERSION }: Together): string | undefined {
  if (SHADOW_ALIAS !== '' && MODEL_VERSION === '' && SHADOW_ALIAS === (MODEL_ALIAS || PROMOTED)) {
    return 'SHADOW_ALIAS must be another alias than that of the version to serve'
  }
  return undefined
}
