import { ANY, filled, type Form, integer, ms, text, toggle } from './kinds.js'

const SOURCES = ['local', 's3', 'mlflow'] as const
const ORIGIN: Form = {
  words: 'an http or https URL without credentials',
  pattern: '^(https?://[A-Za-z0-9.\\-\\[\\]:]+(/[A-Za-z0-9._~/-]*)?)?$'
}
const NAME: Form = {
  words: 'up to 128 letters, digits, `_`, `.`, `-` or spaces',
  pattern: '^([A-Za-z0-9_][A-Za-z0-9_. -]{0,127})?$'
}
const VERSION: Form = { words: 'a whole number from 1', pattern: '^([1-9][0-9]{0,8})?$' }
const REGION: Form = { words: 'small letters, digits and `-`', pattern: '^[a-z0-9-]{1,64}$' }
const BUCKET: Form = { words: 'the name of a bucket', pattern: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$' }
const FOLDER: Form = {
  words: 'folder names with `/` between them',
  pattern: '^([A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*(/[A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*)*)?$'
}
const KEY: Form = { words: 'printable characters without spaces', pattern: '^[!-~]*$' }

/** Settings of where the promoted model comes from. */
export const SourceSettings = {
  MODEL_DIR: filled('Folder of the model bundle that `MODEL_SOURCE=local` and `MODEL_FALLBACK` serve.', 'models/gru'),
  MODEL_SOURCE: {
    type: 'string',
    enum: SOURCES,
    default: 'local',
    description:
      'Where the promoted model comes from: `MODEL_DIR` (`local`), a bucket (`s3`), or the version that MLflow names (`mlflow`).'
  },
  MODEL_FALLBACK: toggle('Serve the bundle in `MODEL_DIR` until the bucket or MLflow has given a model.'),
  MLFLOW_TRACKING_URI: text('URL of MLflow.', ORIGIN),
  MODEL_NAME: text('Name of the registered model in MLflow.', NAME),
  MODEL_ALIAS: text('Alias in MLflow of the version to serve. Empty for `promoted`.', NAME),
  MODEL_VERSION: text('Version in MLflow to serve, whichever version is promoted. Empty to follow the alias.', VERSION),
  SHADOW_ALIAS: text(
    'Alias in MLflow of the shadow: a second version that gets live rows for comparison only. Empty for none.',
    NAME
  ),
  SHADOW_SHARE: {
    type: 'number',
    default: 0.1,
    minimum: 0.001,
    maximum: 1,
    description: 'Share of the live rows that the shadow gets.'
  },
  S3_ENDPOINT: text('URL of the S3 server. Empty for the URL of the region.', ORIGIN),
  S3_REGION: text('Region of the bucket.', REGION, 'us-east-1'),
  S3_BUCKET: text('The one bucket that models may come from. Empty where MLflow itself sends the files.', BUCKET),
  S3_PREFIX: text(
    'Folder of `S3_BUCKET` that models may come from. With `MODEL_SOURCE=s3`, the folder of the bundle.',
    FOLDER
  ),
  S3_ACCESS_KEY_ID: text('Access key for `S3_BUCKET`.', KEY),
  S3_SECRET_ACCESS_KEY: text('Secret of `S3_ACCESS_KEY_ID`. Never shown.', KEY),
  CACHE_DIR: text(
    'Folder for the last two models that served, one folder per replica. A restart then needs no store. Empty for no cache.',
    ANY
  ),
  FETCH_TIMEOUT_MS: ms(30_000, 'Time for one try to fetch a bundle. A fetch has three tries.', 100, 3_600_000),
  MODEL_MAX_BYTES: integer(67_108_864, 1024, 1_073_741_824, 'Largest size of one file of a fetched bundle, in bytes.')
} as const

type SettingName = Exclude<
  keyof typeof SourceSettings,
  'MODEL_DIR' | 'MODEL_SOURCE' | 'MODEL_FALLBACK' | 'SHADOW_SHARE' | 'FETCH_TIMEOUT_MS' | 'MODEL_MAX_BYTES'
>

/** The settings that must go together. */
type Together = Record<SettingName, string> & {
  MODEL_SOURCE: (typeof SOURCES)[number]
  MODEL_FALLBACK: boolean
  SHADOW_SHARE: number
}

const STORE: SettingName[] = ['S3_BUCKET', 'S3_PREFIX', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']
const REGISTRY: SettingName[] = ['MLFLOW_TRACKING_URI', 'MODEL_NAME']
/** What has no effect without the store. */
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
  const { MODEL_SOURCE: source } = config
  const { needed, foreign } = RULES[source]
  const useless = foreign.find(name => config[name] !== SourceSettings[name].default)
  if (useless) return `${useless} has no effect with MODEL_SOURCE=${source}: leave ${useless} out`
  const missing = needed.find(name => config[name] === '')
  if (missing) return `${missing} must be set for MODEL_SOURCE=${source}`
  const alone = STORE.find(name => config[name] === '')
  const given = WITH_STORE.find(name => config[name] !== SourceSettings[name].default)
  if (alone && given) return `${alone} must be set because ${given} is set`
  if (config.MODEL_ALIAS !== '' && config.MODEL_VERSION !== '') {
    return 'MODEL_VERSION and MODEL_ALIAS exclude each other: leave one of them out'
  }
  if (config.MODEL_FALLBACK && config.MODEL_SOURCE === 'local') {
    return `MODEL_FALLBACK has no effect with MODEL_SOURCE=${source}: leave MODEL_FALLBACK out`
  }
  return shadowComplaint(config)
}

function shadowComplaint({ SHADOW_ALIAS, MODEL_ALIAS, MODEL_VERSION }: Together): string | undefined {
  if (SHADOW_ALIAS !== '' && MODEL_VERSION === '' && SHADOW_ALIAS === (MODEL_ALIAS || PROMOTED)) {
    return 'SHADOW_ALIAS must not be the alias of the version to serve'
  }
  return undefined
}
