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
  /** when the interval began, and the last look at it */
  #since: number
  #lookedAt: number
  #rows = 0
  #least = 0

  /** `saturated`: rows that must wait or run all the time for an interval to be a measurement. */
  constructor(saturated: number, now: number) {
    this.#saturated = saturated
    this.#since = now
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

  /** Ends an interval and begins the next, with so many rows that wait or run. While a slow batch runs, the interval goes on. */
  look(now: number, queued: number): void {
    const elapsed = now - this.#since
    const isWatched = now - this.#lookedAt <= MAX_LOOK_MS
    if (!(elapsed > 0)) return
    this.#lookedAt = now
    const least = Math.min(this.#least, queued)
    if (least < this.#saturated) {
      // Nothing waited for long: what was measured under a load that has gone, or while the host was slow, is forgotten.
      const recovered = least === 0 ? (this.#rowsPerMs + this.#ceiling) / 2 : this.#rowsPerMs
      this.#rowsPerMs = Math.max(this.#rows / elapsed, recovered)
    } else if (this.#rows === 0) {
      // Between the ends of two batches nothing comes back, however fast they are; only what takes longer than they should is slow.
      if (isWatched) this.#rowsPerMs = Math.min(this.#rowsPerMs, this.#saturated / elapsed)
      return
    } else {
      const weight = 1 - Math.exp(-Math.min(elapsed, MAX_LOOK_MS) / FOLLOW_MS)
      this.#rowsPerMs += weight * (this.#rows / elapsed - this.#rowsPerMs)
    }
    this.#since = now
    this.#rows = 0
    this.#least = queued
  }
}
