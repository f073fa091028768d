import { ModelRefused } from '../../errors.js'
import type { Converger } from './reconciler.js'
import type { Hint } from './steps.js'

/** Ms from a failure that may pass to the next look: doubled each time, from the first to the last. */
const RETRY_MS = { first: 500, last: 5000 }
/** Share by which a time between two looks varies, so that replicas do not ask together. */
const JITTER = 0.2

/** Looks at what is promoted: on a hint, at intervals, and again after a failure that may pass. */
export class Watch {
  readonly #converger: Converger
  readonly #pollMs: number
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #closed = false

  /** `pollMs` 0 leaves the looks at intervals out. */
  constructor(converger: Converger, pollMs: number) {
    this.#converger = converger
    this.#pollMs = pollMs
  }

  /** Begins the looks at intervals. */
  start(): void {
    this.#schedule()
  }

  /** Looks now. Never throws: how it ended is told by the roll-out's observer. */
  async hint(from: Hint): Promise<void> {
    clearTimeout(this.#timer)
    try {
      await this.#converger.look(from)
      this.#failures = 0
    } catch (error) {
      this.#failures = error instanceof ModelRefused && error.transient ? this.#failures + 1 : 0
    }
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const retry = this.#failures > 0 ? Math.min(RETRY_MS.first * 2 ** (this.#failures - 1), RETRY_MS.last) : 0
    const wait = retry === 0 || this.#pollMs === 0 ? retry || this.#pollMs : Math.min(retry, this.#pollMs)
    if (this.#closed || wait === 0) return
    const varied = wait * (1 + JITTER * (2 * Math.random() - 1))
    this.#timer = setTimeout(() => void this.hint('poll'), varied).unref()
  }

  /** Ends the look under way. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#converger.close()
  }
}
