/** Ms between the start of this process's `performance.now()` and that of the machine's monotonic clock. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Ms of the machine's monotonic clock: the same in every process of one machine, and never set back. */
export const machineMs = (): number => performance.now() + OFFSET_MS
