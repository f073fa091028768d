/** A longer key is not written out: a caller's key can be as long as a body, and no answer shows it. */
const MAX_KEY = 256

/** JSON pointer (RFC 6901) to an element: `~` and `/` inside a key are escaped. Undefined if a key is too long to be shown. */
export function jsonPointer(...keys: (string | number)[]): string | undefined {
  if (keys.some(key => typeof key === 'string' && key.length > MAX_KEY)) return undefined
  return keys.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
