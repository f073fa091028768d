import { setTimeout as pause } from 'node:timers/promises'

/** Ms between two looks. */
const LOOK_MS = 10

type Truthy<T> = Exclude<T, false | null | undefined>

/** Looks until `look` gives something true, and returns it; throws when it has not within `limitMs`. */
export async function eventually<T>(what: string, look: () => T | Promise<T>, limitMs = 20_000): Promise<Truthy<T>> {
  const end = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found) return found as Truthy<T>
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await pause(LOOK_MS)
  }
}
