import { encodeLatency, latencyHistogram } from './latency.js'

/** How requests ended. What each field means is said in results/cell.schema.ts. */
export interface Counts {
  completed: number
  /** 2xx answers */
  ok: number
  statuses: Record<string, number>
  errors: Record<string, number>
  lost: number
  checked: number
  mismatched: number
  partial: number
  failedWindows: Record<string, number>
}

/** A tally as it goes to the parent. */
export interface EncodedTally extends Counts {
  latencyUs: string
}

/** Counts and latencies of one stretch of time in one load worker. */
export class Tally implements Counts {
  completed = 0
  ok = 0
  statuses: Record<string, number> = {}
  errors: Record<string, number> = {}
  lost = 0
  checked = 0
  mismatched = 0
  partial = 0
  failedWindows: Record<string, number> = {}
  readonly latency = latencyHistogram()

  get counts(): Counts {
    const { completed, ok, statuses, errors, lost, checked, mismatched, partial, failedWindows } = this
    return { completed, ok, statuses, errors, lost, checked, mismatched, partial, failedWindows }
  }

  add(other: Tally): void {
    addCounts(this, other)
    this.latency.add(other.latency)
  }

  reset(): void {
    Object.assign(this, emptyCounts())
    this.latency.reset()
  }

  encode(): EncodedTally {
    return { ...this.counts, latencyUs: encodeLatency(this.latency) }
  }
}

export function emptyCounts(): Counts {
  const counts = { completed: 0, ok: 0, lost: 0, checked: 0, mismatched: 0, partial: 0 }
  return { ...counts, statuses: {}, errors: {}, failedWindows: {} }
}

/** Adds `other` to `sum` in place. */
export function addCounts(sum: Counts, other: Counts): void {
  for (const key of ['completed', 'ok', 'lost', 'checked', 'mismatched', 'partial'] as const) sum[key] += other[key]
  for (const key of ['statuses', 'errors', 'failedWindows'] as const) {
    for (const [name, count] of Object.entries(other[key])) sum[key][name] = (sum[key][name] ?? 0) + count
  }
}
