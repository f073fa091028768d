import type { Entry, Ledger } from './ledger.js'
import { eventually } from './eventually.js'

/** What `GET /model` says of what serves and of how it came. */
export interface ModelState {
  ready: boolean
  model: { version: string } | null
  last_promotion: { outcome: string; reason?: string; message?: string } | null
  promotion: {
    stale: boolean
    registry_up: boolean
    held_off: string | null
    previous_version: string | null
    promoted_version: string | null
  }
}

/** Somebody who promotes, with a book of their own: what they ask is no load. */
export class Operator {
  readonly #book: Ledger
  readonly #token: string

  constructor(book: Ledger, token: string) {
    this.#book = book
    this.#token = token
  }

  order(route: 'reload' | 'rollback'): Promise<Entry> {
    return this.#book.send('{}', { path: `/admin/${route}`, headers: { authorization: `Bearer ${this.#token}` } })
  }

  async state(): Promise<ModelState> {
    return (await this.#book.get('/model')).json as unknown as ModelState
  }

  /** Waits until a version serves. */
  serves(version: string): Promise<unknown> {
    return eventually(`version ${version} serves`, async () => (await this.state()).model?.version === version, 60_000)
  }
}
