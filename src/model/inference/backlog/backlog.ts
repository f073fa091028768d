import { LongForecasts, type WorkAhead } from './long-forecasts.js'
import type { PoolOptions } from '../pool-contract.js'
import { Throughput } from './throughput.js'

/** Batches' worth of long forecasts that are under way at once: while one batch runs, the next one is whole. */
const LONG_BATCHES = 2
/**
 * The share of the time until its deadline within which a forecast is expected to end if it is taken on. What is left over is for an
 * estimate on a host that others use too: a forecast that is given up on has cost rows that would have answered somebody else.
 */
const TAKEN_WITHIN = 0.5

/** The work that a pool has taken on, and the rate at which it gets done: what admission goes by. */
export class Backlog {
  /** the forecasts of several steps */
  readonly long: LongForecasts
  readonly #throughput: Throughput
  readonly #workers: number
  #queued = 0

  constructor({ batchCap, workers }: PoolOptions, now: number) {
    this.#workers = workers
    this.long = new LongForecasts(LONG_BATCHES * batchCap * workers)
    this.#throughput = new Throughput(batchCap * workers, now)
  }

  /** Rows that wait in the rings or run. */
  get queued(): number {
    return this.#queued
  }

  /** Steps of the requests that hold a slot and that have not been run. */
  get steps(): number {
    return Math.max(0, this.#queued - this.long.underWay) + this.long.steps
  }

  /** By which admission reckons; 0 before the first batch. */
  get rowsPerSecond(): number {
    const rate = this.#throughput.rowsPerMs
    return rate === Infinity ? 0 : rate * 1000
  }

  get work(): WorkAhead {
    return { queued: this.#queued, rowsPerMs: this.#throughput.rowsPerMs }
  }

  /** Whether a forecast of so many steps, which would be given up on after `patienceMs`, is expected to end well before. */
  endsInTime(steps: number, patienceMs: number): boolean {
    if (this.#queued === 0) return true
    if (steps > 1) return this.allEndInTime([steps], patienceMs)
    return this.#queued / this.#throughput.rowsPerMs <= patienceMs * TAKEN_WITHIN
  }

  /** The same of many forecasts that come together and take turns. */
  allEndInTime(steps: readonly number[], patienceMs: number): boolean {
    return this.long.expectedMs(steps, this.work) <= patienceMs * TAKEN_WITHIN
  }

  /** Rows go into a ring. */
  put(rows: number): void {
    this.#queued += rows
  }

  /** A row has come back from its ring. */
  delivered(): void {
    this.#throughput.delivered(--this.#queued)
  }

  /** A batch of so many rows took so long on one worker. */
  ran(rows: number, tookMs: number): void {
    this.#throughput.ran(rows, tookMs, this.#workers)
  }

  /** Takes the measure of the time since the last look, and gives up on long forecasts that waited past their deadline. */
  look(now: number): void {
    this.#throughput.look(now, this.#queued)
    this.long.expire(now)
  }
}
