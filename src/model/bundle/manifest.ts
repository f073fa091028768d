import type { ValidateFunction } from 'ajv'
import type { FromSchema } from 'json-schema-to-ts'
import { ModelRefused, type RefusalReason } from '../../errors.js'
import { exactly } from '../../validate.js'

/** The bundle's contract: what model.json and golden.json hold. Fields that are not listed are allowed and ignored. */
const Name = { type: 'string', maxLength: 128, pattern: '^[A-Za-z0-9_][A-Za-z0-9_. -]*$' } as const
const Identifier = { type: 'string', maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' } as const

const FeatureSchema = {
  type: 'object',
  required: ['name', 'unit', 'minimum'],
  properties: {
    name: Name,
    unit: { type: 'string', maxLength: 64 },
    minimum: { type: 'number', description: 'Smallest legal value, in raw units. No forecast is below this value.' },
    maximum: { type: 'number' }
  }
} as const

const TensorSchema = {
  type: 'object',
  required: ['name', 'type', 'shape'],
  properties: {
    name: { type: 'string' },
    type: { type: 'string' },
    shape: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'integer', minimum: 1 }] } }
  }
} as const

export const ManifestSchema = {
  type: 'object',
  // prettier-ignore
  required: [
    'schema_version', 'name', 'version', 'run_id', 'created_at', 'architecture', 'features', 'target', 'window',
    'frequency_seconds', 'inputs', 'outputs', 'sha256'
  ],
  properties: {
    schema_version: { const: 1 },
    name: Name,
    version: Identifier,
    run_id: Identifier,
    created_at: { type: 'string', maxLength: 64 },
    architecture: {
      type: 'object',
      required: ['type', 'hidden_size', 'num_layers'],
      properties: {
        type: { type: 'string', maxLength: 32 },
        hidden_size: { type: 'integer', minimum: 1 },
        num_layers: { type: 'integer', minimum: 1 }
      }
    },
    features: {
      type: 'array',
      items: FeatureSchema,
      minItems: 1,
      maxItems: 256,
      description: 'Features in the order of the last axis of the window.'
    },
    target: { ...Name, description: 'Feature that an answer repeats as `value`.' },
    window: { type: 'integer', minimum: 1, maximum: 1024, description: 'Number of rows of a window.' },
    frequency_seconds: { type: 'integer', minimum: 1, maximum: 31_536_000, description: 'Seconds between two rows.' },
    inputs: { type: 'array', items: TensorSchema, minItems: 1, maxItems: 2 },
    outputs: { type: 'array', items: TensorSchema, minItems: 1, maxItems: 1 },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'SHA-256 digest of model.onnx.' }
  }
} as const

export type Manifest = FromSchema<typeof ManifestSchema>

const numbers = { type: 'array', items: { type: 'number' } } as const

const GoldenSchema = {
  type: 'object',
  required: ['schema_version', 'framework', 'tolerance', 'windows'],
  properties: {
    schema_version: { const: 1 },
    framework: { type: 'string' },
    tolerance: {
      type: 'object',
      required: ['relative', 'absolute'],
      properties: {
        relative: {
          type: 'number',
          minimum: 0,
          maximum: 0.01,
          description: 'Tolerance as a share of the expected value.'
        },
        absolute: {
          type: 'array',
          items: { type: 'number', minimum: 0 },
          description: 'Tolerance of each feature, in raw units.'
        }
      }
    },
    windows: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['time', 'window', 'forecast'],
        properties: {
          time: { type: 'array', items: { type: 'string' } },
          minute: { type: 'array', items: { type: 'integer' } },
          window: { type: 'array', items: numbers },
          forecast: numbers
        }
      }
    }
  }
} as const

/** Real windows with the answers of the trainer's own framework. */
export type Golden = FromSchema<typeof GoldenSchema>
export type GoldenWindow = Golden['windows'][number]

const isManifest = exactly.compile<Manifest>(ManifestSchema)
const isGolden = exactly.compile<Golden>(GoldenSchema)

function parse<T>(validate: ValidateFunction<T>, text: string, file: string, reason: RefusalReason): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ModelRefused(reason, `${file} is not JSON`, { cause: error })
  }
  if (validate(value)) return value
  const { instancePath, message = 'does not fit its schema' } = validate.errors![0]!
  throw new ModelRefused(reason, `${file}${instancePath}: ${message}`)
}

/** Reads model.json; what a schema cannot say (unique names, agreeing shapes) is checked here too. */
export function parseManifest(text: string): Manifest {
  const manifest = parse(isManifest, text, 'model.json', 'manifest_invalid')
  const refuse = (message: string): never => {
    throw new ModelRefused('manifest_invalid', `model.json: ${message}`)
  }
  const names = manifest.features.map(feature => feature.name)
  if (new Set(names).size !== names.length) refuse('two features have the same name')
  if (!names.includes(manifest.target)) refuse(`target ${manifest.target} is not a feature`)
  for (const { name, minimum, maximum } of manifest.features) {
    if (maximum !== undefined && maximum <= minimum) refuse(`the maximum of feature ${name} is not above the minimum`)
  }
  for (const { name } of manifest.inputs) {
    if (name !== 'window' && name !== 'minute') refuse(`input ${name} is unknown: only window and minute are inputs`)
  }
  return manifest
}

/** Reads golden.json and checks its windows against the manifest's shape. */
export function parseGolden(text: string, manifest: Manifest): Golden {
  const golden = parse(isGolden, text, 'golden.json', 'golden_invalid')
  const width = manifest.features.length
  const refuse = (path: string, message: string): never => {
    throw new ModelRefused('golden_invalid', `golden.json${path}: ${message}`)
  }
  if (golden.tolerance.absolute.length !== width) refuse('/tolerance/absolute', `expected ${width} values`)
  golden.windows.forEach(({ window, forecast, minute, time }, index) => {
    const fits = window.length === manifest.window && window.every(row => row.length === width)
    if (!fits) refuse(`/windows/${index}/window`, `expected ${manifest.window} rows of ${width}`)
    if (forecast.length !== width) refuse(`/windows/${index}/forecast`, `expected ${width} values`)
    if (time.length !== manifest.window) refuse(`/windows/${index}/time`, `expected ${manifest.window} times`)
    if (usesMinute(manifest) && minute?.length !== manifest.window) refuse(`/windows/${index}/minute`, 'missing')
  })
  return golden
}

/** Whether the graph takes the time of each row. */
export function usesMinute(manifest: Manifest): boolean {
  return manifest.inputs.some(input => input.name === 'minute')
}
