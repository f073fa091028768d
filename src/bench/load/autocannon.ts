import autocannon from 'autocannon'
import { type BuiltRequest, type Client, User, type UserOptions } from './autocannon-user.js'
import type { CallRequest } from './calls/protocol.js'
import type { Arrivals } from './open-loop.js'

/** Seconds that autocannon is told where it shall never act by itself; more would overflow its timers. */
const NEVER_S = 2_000_000
/** Ms between two looks for requests that are overdue, at the most. */
const OVERDUE_LOOK_MS = 100
export interface FleetOptions extends UserOptions {
  url: string
  /** connections, each with one user who has one request in flight at the most */
  users: number
  /** of which each user draws one after the other */
  requests: readonly CallRequest[]
}

/**
 * The users of one load worker, driven by autocannon's own clients in this process. This file and
 * autocannon-user.ts are the only ones that know autocannon; they use private fields, so the version is pinned. What is done otherwise than autocannon does it, and
 * why, is in docs/guides/bench-load.md.
 */
export class Fleet {
  readonly #users: User[] = []
  readonly #instance: autocannon.Instance
  readonly #ended: Promise<void>
  readonly #arrivals: Arrivals | undefined
  readonly #overdue: NodeJS.Timeout
  #settled: (() => void) | undefined

  constructor(options: FleetOptions) {
    this.#arrivals = options.arrivals
    let built: BuiltRequest[] | undefined
    let ended = (): void => undefined
    this.#ended = new Promise(resolve => {
      ended = resolve
    })
    const settings: autocannon.Options = {
      url: options.url,
      connections: options.users,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      duration: NEVER_S,
      timeout: NEVER_S,
      sampleInt: 100,
      skipAggregateResult: true,
      setupClient: publicClient => {
        const client = publicClient as unknown as Client
        const { requestIterator } = client
        built ??= options.requests.map(request => ({ requestBuffer: requestIterator.requestBuilder({ ...request }) }))
        this.#users.push(new User(client, built, options, () => this.#settled?.()))
      }
    }
    this.#instance = autocannon(settings, () => ended())
    const look = Math.min(OVERDUE_LOOK_MS, options.timeoutMs / 4)
    this.#overdue = setInterval(() => this.#users.forEach(user => user.endIfOverdue()), look)
  }

  /** Sockets that are open now. */
  get connections(): number {
    return this.#users.filter(user => user.connected).length
  }

  /** Ages of the requests in flight at `now` on the machine's clock, ms. */
  openFor(now: number): number[] {
    return this.#users.flatMap(({ openSince }) => (openSince === undefined ? [] : [now - openSince]))
  }

  /** No new requests; resolves when every request in flight has been answered or has timed out, and all is closed. */
  async drain(): Promise<void> {
    this.#arrivals?.stop()
    for (const user of this.#users) user.stop()
    while (this.#users.some(user => user.waiting)) {
      await new Promise<void>(resolve => {
        this.#settled = resolve
      })
    }
    clearInterval(this.#overdue)
    this.#instance.stop()
    await this.#ended
  }
}
