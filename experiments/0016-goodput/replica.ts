import type { Replica } from '../../src/bench/stack/replica.js'
import { readProcess } from '../../src/bench/watch/proc.js'

/** A replica's own counters at one moment. */
export interface Counters {
  rows: number
  cpuSeconds: number
  /** requests refused with 429, by the upper bound in seconds of how long that took; each holds those before it */
  refusedWithin: Map<number, number>
}

/** Reads a replica's `/metrics` and its CPU time. */
export async function counters({ url, pid }: Replica): Promise<Counters> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const rows = Number(/^gru_rows_executed_total (.*)$/m.exec(text)![1])
  const bucket =
    /^gru_request_duration_seconds_bucket\{(?=[^}]*route="\/predict")(?=[^}]*status="429")[^}]*le="([^"]+)"[^}]*\} (.*)$/gm
  const refusedWithin = new Map(
    [...text.matchAll(bucket)].map(([, bound, count]) => [bound === '+Inf' ? Infinity : Number(bound), Number(count)])
  )
  return { rows, cpuSeconds: readProcess(pid).cpuSeconds, refusedWithin }
}

/** Upper bound, in ms, of the time that 99 % of the refusals between two readings took; null when there was none. */
export function refusalP99Ms(before: Counters, after: Counters): number | null {
  const grown = (bound: number) => (after.refusedWithin.get(bound) ?? 0) - (before.refusedWithin.get(bound) ?? 0)
  const all = grown(Infinity)
  if (all === 0) return null
  const bound = [...after.refusedWithin.keys()].sort((a, b) => a - b).find(bound => grown(bound) >= 0.99 * all)!
  return bound * 1000
}
