import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Served } from '../../src/model/registry/cache-state.js'

/** Every file below a folder, with what is in it and when it was written. */
export function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(name => join(folder, String(name)))
    .filter(path => statSync(path).isFile())
    .map(path => `${path} ${statSync(path).mtimeMs} ${readFileSync(path, 'base64')}`)
    .sort()
}

/** What a cache has written down. */
export function noted(folder: string): { live: Served | null; previous: Served | null; bundles: { sha256: string }[] } {
  return JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as ReturnType<typeof noted>
}
