/** How often something was done, and the ms that it took in all. */
export class Tally {
  count = 0
  ms = 0

  add(ms: number): void {
    this.count++
    this.ms += ms
  }
}

/** What one model version has done since it went live, as the V2 protocol's statistics extension tells it. */
export class ModelStatistics {
  /** requests, however many windows each had */
  readonly success = new Tally()
  readonly fail = new Tally()
  /** time that rows waited for a worker, a count a request */
  readonly queue = new Tally()
  /** time in model runs, a count a request */
  readonly infer = new Tally()
  /** model runs by their rows */
  readonly batches = new Map<number, Tally>()
  rows = 0
  runs = 0
  /** ms since the epoch; 0 before the first forecast */
  lastAt = 0

  batchRan(rows: number, ms: number): void {
    this.rows += rows
    this.runs++
    let batches = this.batches.get(rows)
    if (batches === undefined) this.batches.set(rows, (batches = new Tally()))
    batches.add(ms)
  }

  /** A request was answered with its forecasts. Of many windows: the longest times. */
  forecasted({ tookMs, queueMs, inferMs }: { tookMs: number; queueMs: number; inferMs: number }): void {
    this.success.add(tookMs)
    this.queue.add(queueMs)
    this.infer.add(inferMs)
    this.lastAt = Date.now()
  }

  failed(tookMs: number): void {
    this.fail.add(tookMs)
  }

  /** The model goes live: the runs that verified it do not count. */
  wentLive(): void {
    this.rows = this.runs = 0
    this.batches.clear()
  }
}
