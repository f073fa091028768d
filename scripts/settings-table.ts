import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ConfigSchema } from '../src/settings/config.js'
import { LimitSettings } from '../src/settings/limits.js'
import { SourceSettings } from '../src/settings/model-source.js'
import { PromotionSettings } from '../src/settings/promotion.js'
import { ServerSettings } from '../src/settings/server.js'

/** What the table shows of a setting's schema. */
interface Setting {
  type: string
  title?: string
  default: string | number | boolean
  minimum?: number
  maximum?: number
  enum?: readonly string[]
  description: string
}

function allowed(setting: Setting): string {
  if (setting.enum) return setting.enum.map(value => `\`${value}\``).join(', ')
  if (setting.type === 'integer' || setting.type === 'number') return `${setting.minimum} to ${setting.maximum}`
  return setting.type === 'boolean' ? '`true`, `false`' : (setting.title ?? 'text')
}

/** By subject, as the schema is put together. */
const SUBJECTS: Record<string, Record<string, Setting>> = {
  'Listeners, connections, stop and log': ServerSettings,
  'Where the model comes from': SourceSettings,
  'How a promoted model goes live': PromotionSettings,
  'Workers, and what a request may ask for': LimitSettings
}

/** The tables of docs/reference/settings.md, from the schemas that read the settings. */
export function settingsTable(): string {
  const told = new Set(Object.values(SUBJECTS).flatMap(settings => Object.keys(settings)))
  const left = Object.keys(ConfigSchema.properties).filter(name => !told.has(name))
  if (left.length > 0) throw new Error(`no table has ${left.join(', ')}`)
  return Object.entries(SUBJECTS)
    .map(([subject, settings]) => `## ${subject}\n\n${tableOf(settings)}`)
    .join('\n\n')
}

function tableOf(settings: Record<string, Setting>): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
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
