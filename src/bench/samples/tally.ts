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
  readonly latency = latencyHistogram()

  get counts(): Counts {
    const { completed, ok, statuses, errors, lost, checked, mismatched } = this
    return { completed, ok, statuses, errors, lost, checked, mismatched }
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

/** What says how many answers were right: 2xx answers, those of them that were compared, and those that differed. */
export type Checked = Pick<Counts, 'ok' | 'checked' | 'mismatched'>

/**
 * Share of the 2xx answers that were wrong: that of the sample stands for all, for one answer in so many is compared, whichever
 * body it was for. 0 where none was.
 */
const wrongShare = ({ checked, mismatched }: Checked): number => (checked === 0 ? 0 : mismatched / checked)

/** 2xx answers without the share that was wrong. */
export const good = (counts: Checked): number => Math.round(counts.ok * (1 - wrongShare(counts)))

/** Requests that ended in any other way. */
export const failed = (counts: Counts): number => total(counts.errors) + counts.lost + counts.completed - good(counts)

export function emptyCounts(): Counts {
  return { completed: 0, ok: 0, statuses: {}, errors: {}, lost: 0, checked: 0, mismatched: 0 }
}

/** Adds `other` to `sum` in place. */
export function addCounts(sum: Counts, other: Counts): void {
  for (const key of ['completed', 'ok', 'lost', 'checked', 'mismatched'] as const) sum[key] += other[key]
  for (const key of ['statuses', 'errors'] as const) {
    for (const [name, count] of Object.entries(other[key])) sum[key][name] = (sum[key][name] ?? 0) + count
  }
}

export const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, n) => sum + n, 0)
