import { hrtime } from 'node:process'

// `performance.now()` counts from the start of its own thread, `hrtime` from one origin for the whole process. The
// difference is constant, so one addition makes the cheap clock comparable between threads.
const threadOrigin = Number(hrtime.bigint()) / 1e6 - performance.now()

/** Milliseconds on the process-wide monotonic clock; never goes back, comparable between threads. */
export function monotonicMs(): number {
  return performance.now() + threadOrigin
}
