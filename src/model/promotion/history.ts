import type { Bundle } from '../bundle/bundle.js'
import type { BundleCache } from '../registry/cache.js'
import type { Served } from '../registry/cache-state.js'

/** A model that went live; without its bundle where it did so before a restart, for then the cache has it. */
export interface Live extends Served {
  bundle?: Bundle
}

/** What was live in this replica, is, and is blocked; kept over a restart where there is a cache. */
export class History {
  /** the last that a rollout or a rollback took live */
  live: Live | undefined
  /** what a rollback would put back */
  previous: Live | undefined
  /** what a rollback left */
  blocked: Served | undefined
  readonly #cache: BundleCache | undefined

  constructor(cache: BundleCache | undefined) {
    this.#cache = cache
  }

  /** Reads what the process before knew. Resolves to what was live then, if the cache has it. Rejects with `CacheUnusable`. */
  async restore(): Promise<Live | undefined> {
    const cache = this.#cache
    if (!cache) return undefined
    await cache.open()
    const { live, previous, held } = cache.past
    this.blocked = held ?? undefined
    this.previous = previous && cache.has(previous.key) ? previous : undefined
    return live && cache.has(live.key) ? live : undefined
  }

  /** A rollout took `now` live in the place of `before`. */
  promoted(before: Live | undefined, now: Live): void {
    if (before && before.key !== now.key) this.previous = before
    this.live = now
    this.blocked = undefined
  }

  /** A rollback put `back` in the place of `left`. */
  rolledBack(left: Live, back: Live): void {
    this.blocked = { key: left.key, version: left.version }
    this.live = back
    this.previous = undefined
  }

  /** Writes down how things stand. Never rejects. */
  async save(): Promise<void> {
    const served = (live: Served | undefined) => (live ? { key: live.key, version: live.version } : null)
    const bundles = [this.live, this.previous].flatMap(live => (live?.bundle ? [[live.key, live.bundle] as const] : []))
    await this.#cache?.note(
      { live: served(this.live), previous: served(this.previous), held: served(this.blocked) },
      new Map(bundles)
    )
  }
}
