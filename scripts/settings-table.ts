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

/** README's table of settings, from the schema that reads them. */
export function settingsTable(): string {
  const rows = Object.entries(ConfigSchema.properties as Record<string, Setting>).map(([name, setting]) => {
    const standard = setting.default === '' ? '(empty)' : `\`${String(setting.default)}\``
    return `| \`${name}\` | ${standard} | ${allowed(setting)} | ${setting.description} |`
  })
  return ['| Variable | Default | Allowed | Meaning |', '|---|---|---|---|', ...rows].join('\n')
}

const MARKED = /(<!-- settings:begin -->\n)[^]*(<!-- settings:end -->)/

/** The table that stands in README.md. */
export function documentedSettings(readme: string): string | undefined {
  return /<!-- settings:begin -->\n([^]*?)\n?<!-- settings:end -->/.exec(readme)?.[1]
}

// Run as a program, it puts the table into README.md.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const readme = readFileSync('README.md', 'utf8')
  writeFileSync(
    'README.md',
    readme.replace(MARKED, (_all, begin, end) => `${begin}${settingsTable()}\n${end}`)
  )
}
