import { ModelRefused } from '../../errors.js'
import type { Reconciler } from './reconciler.js'
import type { Trigger } from './steps.js'

/** Ms from a failure that may pass to the next try: doubled each time, from the first to the last. */
const RETRY_MS = { first: 500, last: 5000 }
/** Share by which a time between two polls varies, so that replicas do not ask together. */
const JITTER = 0.2

/** Triggers reconciliation: when told to, at intervals, and again after a failure that may pass. */
export class Poller {
  readonly #reconciler: Reconciler
  readonly #pollMs: number
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #closed = false

  /** `pollMs` 0 leaves the polls out. */
  constructor(reconciler: Reconciler, pollMs: number) {
    this.#reconciler = reconciler
    this.#pollMs = pollMs
  }

  /** Begins to poll. */
  start(): void {
    this.#schedule()
  }

  /** Reconciles now. Never throws: how it ended is told by the rollout's observer. */
  async trigger(from: Trigger): Promise<void> {
    clearTimeout(this.#timer)
    try {
      await this.#reconciler.reconcile(from)
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
    this.#timer = setTimeout(() => void this.trigger('poll'), varied).unref()
  }

  /** Ends the reconciliation under way. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#reconciler.close()
  }
}
