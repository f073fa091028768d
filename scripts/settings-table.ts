import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ConfigSchema } from '../src/settings/config.js'

/** What the table shows of a setting's schema. */
interface Setting {
  type: string
  default: string | number | boolean
  minimum?: number
  maximum?: number
  enum?: readonly string[]
  description: string
}

function allowed(setting: Setting): string {
  if (setting.enum) return setting.enum.map(value => `\`${value}\``).join(', ')
  if (setting.type === 'integer' || setting.type === 'number') return `${setting.minimum} to ${setting.maximum}`
  return setting.type === 'boolean' ? '`true`, `false`' : 'text'
}

/** The table of docs/reference/settings.md, from the schema that reads them. */
export function settingsTable(): string {
  const rows = Object.entries(ConfigSchema.properties as Record<string, Setting>).map(([name, setting]) => {
    const standard = setting.default === '' ? '(empty)' : `\`${String(setting.default)}\``
    return `| \`${name}\` | ${standard} | ${allowed(setting)} | ${setting.description} |`
  })
  return ['| Variable | Default | Allowed | Meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** Where the settings are documented. */
export const SETTINGS_FILE = 'docs/reference/settings.md'
const MARKED = /(<!-- settings:begin -->\n)[^]*(<!-- settings:end -->)/

/** The table that stands in a text. */
export function documentedSettings(text: string): string | undefined {
  return /<!-- settings:begin -->\n([^]*?)\n?<!-- settings:end -->/.exec(text)?.[1]
}

// Run as a program, it puts the table there.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = readFileSync(SETTINGS_FILE, 'utf8')
  writeFileSync(
    SETTINGS_FILE,
    text.replace(MARKED, (_all, begin, end) => `${begin}${settingsTable()}\n${end}`)
  )
}
