import { setTimeout as pause } from 'node:timers/promises'

/** Ms between two looks. */
const LOOK_MS = 10

type Truthy<T> = Exclude<T, false | null | undefined>

/**
 * Looks until `look` gives something true, and returns it; throws when it has not within `limitMs`. A host that stands
 * still takes time but no looks: so both must have run out.
 */
export async function eventually<T>(what: string, look: () => T | Promise<T>, limitMs = 20_000): Promise<Truthy<T>> {
  const end = performance.now() + limitMs
  for (let looks = 0; looks < limitMs / (4 * LOOK_MS) || performance.now() < end; looks++) {
    const found = await look()
    if (found) return found as Truthy<T>
    await pause(LOOK_MS)
  }
  throw new Error(`not within ${limitMs} ms: ${what}`)
}
