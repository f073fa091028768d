/** Ms in which the measured rate has followed a change by two thirds. */
const FOLLOW_MS = 150
/** Ms that one look counts for at the most: a process that stood still has measured nothing meanwhile. */
const MAX_LOOK_MS = 100

/**
 * How many rows a pool works off in a millisecond while it has all that it can do: what admission divides the waiting rows by.
 * Measured over intervals in which a whole batch was always waiting; an interval with less says only that the rate is no lower.
 */
export class Throughput {
  readonly #saturated: number
  #rowsPerMs = 0
  /** by the fastest batch so far: the rate lies below */
  #ceiling = 0
  #lookedAt: number
  #rows = 0
  #least = 0

  /** `saturated`: rows that must wait or run all the time for an interval to be a measurement. */
  constructor(saturated: number, now: number) {
    this.#saturated = saturated
    this.#lookedAt = now
  }

  /** Rows a millisecond; Infinity before the first batch, which nobody waits behind. */
  get rowsPerMs(): number {
    return this.#ceiling === 0 ? Infinity : this.#rowsPerMs
  }

  /** A batch took so long on one of the pool's workers. */
  ran(rows: number, tookMs: number, workers: number): void {
    const rate = (rows * workers) / tookMs
    if (!(rate > this.#ceiling && rate < Infinity)) return
    if (this.#ceiling === 0) this.#rowsPerMs = rate
    this.#ceiling = rate
  }

  /** A row has come back, and so many still wait or run. */
  delivered(queued: number): void {
    this.#rows++
    if (queued < this.#least) this.#least = queued
  }

  /** Ends an interval and begins the next, with so many rows that wait or run. */
  look(now: number, queued: number): void {
    const elapsed = now - this.#lookedAt
    if (!(elapsed > 0)) return
    const rate = this.#rows / elapsed
    const least = Math.min(this.#least, queued)
    if (least >= this.#saturated) {
      const weight = 1 - Math.exp(-Math.min(elapsed, MAX_LOOK_MS) / FOLLOW_MS)
      this.#rowsPerMs += weight * (rate - this.#rowsPerMs)
    } else {
      // Nothing waited for long: what was measured under a load that has gone, or while the host was slow, is forgotten.
      const recovered = least === 0 ? (this.#rowsPerMs + this.#ceiling) / 2 : this.#rowsPerMs
      this.#rowsPerMs = Math.max(rate, recovered)
    }
    this.#lookedAt = now
    this.#rows = 0
    this.#least = queued
  }
}
