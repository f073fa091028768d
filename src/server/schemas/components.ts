type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Where values stand that are no schemas, and may have a title of their own. */
const NO_SCHEMAS = new Set(['example', 'examples', 'info'])

/**
 * An OpenAPI description in which every schema with a title stands once, under it, in the components, with references in its places:
 * generators of clients name their types after these. Numbers are said to be doubles, which some generators take for float32.
 * @throws Error for two different schemas with one title
 */
export function withComponents(description: Json): Json {
  const schemas: Json = {}
  const hoist = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hoist)
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(([key, inner]) => [key, NO_SCHEMAS.has(key) ? inner : hoist(inner)])
    const schema = Object.fromEntries(entries) as Json
    if (schema.type === 'number') schema.format ??= 'double'
    const { title, ...rest } = schema
    if (typeof title !== 'string') return schema
    if (title in schemas && JSON.stringify(schemas[title]) !== JSON.stringify(rest)) {
      throw new Error(`two schemas have the title ${title}`)
    }
    schemas[title] = rest
    return { $ref: `#/components/schemas/${title}` }
  }
  const { components, ...rest } = description
  const hoisted = hoist(rest) as Json
  return { ...hoisted, components: { ...(components as Json), schemas } }
}
