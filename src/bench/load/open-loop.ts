import { monotonicMs } from '../../clock.js'
import type { LoadRandom } from './random.js'
import type { Recorder } from './recorder.js'

/** Ms between two looks for arrivals that have waited for a connection for too long. */
const LOOK_MS = 10

/** A connection that is free. */
interface Sender {
  /** sends what `take` gives it */
  next(): void
}

export interface ArrivalOptions {
  ratePerSecond: number
  /** arrivals that found no connection within this time are dropped: they count as errors of the kind `dropped` */
  timeoutMs: number
  draw: LoadRandom
  recorder: Recorder
}

/**
 * Poisson arrivals: when each request is to be sent does not depend on how fast answers come. An arrival that finds all
 * connections busy waits for one, and its latency still begins at the time that was planned for it.
 */
export class Arrivals {
  readonly #options: ArrivalOptions
  readonly #free = new Set<Sender>()
  /** the oldest arrival that has not been sent; those behind it are drawn when it has */
  #plannedAt: number
  #timer: NodeJS.Timeout
  #isStopped = false

  constructor(options: ArrivalOptions) {
    this.#options = options
    this.#plannedAt = monotonicMs() + this.#gap()
    this.#timer = setTimeout(() => this.#look(), 1)
  }

  /** The planned time of the oldest arrival that is due; without one, the sender is called when there is. */
  take(sender: Sender): number | undefined {
    const now = monotonicMs()
    this.#dropUpTo(now - this.#options.timeoutMs, now)
    if (this.#isStopped || this.#plannedAt > now) {
      this.#free.add(sender)
      return undefined
    }
    const planned = this.#plannedAt
    this.#plannedAt += this.#gap()
    return planned
  }

  /** No more arrivals; those that were due and could not be sent are dropped. */
  stop(): void {
    const now = monotonicMs()
    clearTimeout(this.#timer)
    this.#dropUpTo(now, now)
    this.#isStopped = true
  }

  #look(): void {
    const now = monotonicMs()
    this.#dropUpTo(now - this.#options.timeoutMs, now)
    // In the order in which they became free: all connections are used alike.
    for (const sender of this.#free) {
      if (this.#plannedAt > now) break
      this.#free.delete(sender)
      sender.next()
    }
    this.#timer = setTimeout(() => this.#look(), Math.min(LOOK_MS, Math.max(1, this.#plannedAt - now)))
  }

  #dropUpTo(time: number, now: number): void {
    while (this.#plannedAt <= time) {
      this.#options.recorder.failure(now, 'dropped')
      this.#plannedAt += this.#gap()
    }
  }

  #gap(): number {
    return this.#options.draw.gapMs(this.#options.ratePerSecond / 1000)
  }
}
