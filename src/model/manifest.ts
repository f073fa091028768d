import { Type, type Static, type TSchema } from 'typebox'
import Value from 'typebox/value'
import { ModelRefused, type RefusalReason } from '../errors.js'

/** The bundle's contract: what model.json and golden.json hold. Fields that are not listed are allowed and ignored. */
const Name = Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_][A-Za-z0-9_. -]*$' })

const Feature = Type.Object({
  name: Name,
  unit: Type.String({ maxLength: 64 }),
  /** the smallest legal value, in raw units; smaller ones are refused and forecasts are kept above it */
  minimum: Type.Number(),
  maximum: Type.Optional(Type.Number())
})

const Tensor = Type.Object({
  name: Type.String(),
  type: Type.String(),
  shape: Type.Array(Type.Union([Type.String(), Type.Integer({ minimum: 1 })]))
})

export const ManifestSchema = Type.Object({
  schema_version: Type.Literal(1),
  name: Name,
  version: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' }),
  run_id: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' }),
  created_at: Type.String({ maxLength: 64 }),
  architecture: Type.Object({
    type: Type.String({ maxLength: 32 }),
    hidden_size: Type.Integer({ minimum: 1 }),
    num_layers: Type.Integer({ minimum: 1 })
  }),
  /** in the order of the window's last axis */
  features: Type.Array(Feature, { minItems: 1, maxItems: 256 }),
  /** the feature that an answer repeats as `value` */
  target: Name,
  /** rows of a window */
  window: Type.Integer({ minimum: 1, maximum: 1024 }),
  /** the time between two rows, in seconds */
  frequency_seconds: Type.Integer({ minimum: 1, maximum: 31_536_000 }),
  inputs: Type.Array(Tensor, { minItems: 1, maxItems: 2 }),
  outputs: Type.Array(Tensor, { minItems: 1, maxItems: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' })
})

export type Manifest = Static<typeof ManifestSchema>
export type Feature = Manifest['features'][number]

const GoldenSchema = Type.Object({
  schema_version: Type.Literal(1),
  framework: Type.String(),
  tolerance: Type.Object({
    /** of the expected value */
    relative: Type.Number({ minimum: 0, maximum: 0.01 }),
    /** a feature each, in raw units */
    absolute: Type.Array(Type.Number({ minimum: 0 }))
  }),
  windows: Type.Array(
    Type.Object({
      time: Type.Array(Type.String()),
      minute: Type.Optional(Type.Array(Type.Integer())),
      window: Type.Array(Type.Array(Type.Number())),
      forecast: Type.Array(Type.Number())
    }),
    { minItems: 1 }
  )
})

/** Real windows with the answers of the trainer's own framework. */
export type Golden = Static<typeof GoldenSchema>
export type GoldenWindow = Golden['windows'][number]

function parse<T extends TSchema>(schema: T, text: string, file: string, reason: RefusalReason): Static<T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ModelRefused(reason, `${file} is not JSON`, { cause: error })
  }
  if (Value.Check(schema, value)) return value
  const first = Value.Errors(schema, value)[0]
  throw new ModelRefused(reason, `${file}${first?.instancePath ?? ''}: ${first?.message ?? 'does not fit its schema'}`)
}

/** Reads model.json; what a schema cannot say (unique names, agreeing shapes) is checked here too. */
export function parseManifest(text: string): Manifest {
  const manifest = parse(ManifestSchema, text, 'model.json', 'manifest_invalid')
  const refuse = (message: string): never => {
    throw new ModelRefused('manifest_invalid', `model.json: ${message}`)
  }
  const names = manifest.features.map(feature => feature.name)
  if (new Set(names).size !== names.length) refuse('two features have the same name')
  if (!names.includes(manifest.target)) refuse(`target ${manifest.target} is not a feature`)
  for (const { name, minimum, maximum } of manifest.features) {
    if (maximum !== undefined && maximum <= minimum)
      refuse(`feature ${name} has a maximum that is not above its minimum`)
  }
  for (const { name } of manifest.inputs) {
    if (name !== 'window' && name !== 'minute') refuse(`there is no input called ${name}: only window and minute`)
  }
  return manifest
}

/** Reads golden.json and checks its windows against the manifest's shape. */
export function parseGolden(text: string, manifest: Manifest): Golden {
  const golden = parse(GoldenSchema, text, 'golden.json', 'golden_invalid')
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
