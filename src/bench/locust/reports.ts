/**
 * What load/locustfile.py prints in each load worker, one JSON object a line, among Locust's log. Its counts are exact
 * and tell failures apart, as those of results/cell.schema.ts do; Locust's own are by text.
 */
export type Report = WarmUpReport | IntervalReport | WholeReport

/** The measured interval begins. */
interface WarmUpReport {
  bench: 'interval-begins'
  /** good answers in each of the equal parts of the warm-up */
  warmUp: number[]
}

/** The measured interval is over. */
export interface IntervalReport {
  bench: 'interval-ends'
  elapsedMs: number
  /** each with a connection of its own */
  users: number
  /** how late the event loop came back to one who slept in it, 99th percentile */
  lagP99Ms: number
  /** good answers in each whole second */
  perSecond: number[]
  statuses: Record<string, number>
  errors: Record<string, number>
  checked: number
  mismatched: number
}

/** Every user has stopped: all requests from the first to the last. */
export interface WholeReport {
  bench: 'whole'
  /** 2xx answers */
  ok: number
  completed: number
  errors: number
  /** stopped by Locust before they had an answer */
  lost: number
}
