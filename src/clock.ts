import { hrtime } from 'node:process'

/**
 * `performance.now()` counts from the start of its own thread, `hrtime` from one origin for the whole process. The
 * difference is constant, so one addition makes the cheap clock comparable between threads. Of a few readings the one
 * that took least time is the most exact: a thread may be held up between two.
 */
function threadOrigin(): number {
  let best = { took: Infinity, origin: 0 }
  for (let reading = 0; reading < 8; reading++) {
    const before = Number(hrtime.bigint()) / 1e6
    const now = performance.now()
    const after = Number(hrtime.bigint()) / 1e6
    const took = after - before
    if (took < best.took) best = { took, origin: (before + after) / 2 - now }
  }
  return best.origin
}

const ORIGIN = threadOrigin()

/** Milliseconds on the machine's monotonic clock; never goes back, comparable between threads and processes to a microsecond. */
export function monotonicMs(): number {
  return performance.now() + ORIGIN
}
