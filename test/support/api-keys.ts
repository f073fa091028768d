import { createHash } from 'node:crypto'

/** The line of a key in the service's file, as `sha256sum` makes the hash. */
export function keyLine(name: string, key: string): string {
  return `${name}:${createHash('sha256').update(key).digest('hex')}`
}
