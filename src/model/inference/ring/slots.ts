/**
 * The shared memory between the main thread and the workers of one pool.
 *
 * A *slot* is one request's part of the memory: its window, its forecast, its state. A *ring* is one worker's queue of slot numbers:
 * main is its only writer, the worker its only reader, so two counters are all the synchronisation it needs. A slot
 * stands in at most one ring at a time and a ring has room for all of them, so a ring cannot overflow: the number of
 * slots is the bound of the queue.
 */

/** What becomes of a slot. Main moves it to WAITING or CANCELLED, the worker to all the others. */
export const SlotState = {
  FREE: 0,
  WAITING: 1,
  RUNNING: 2,
  DONE: 3,
  FAILED: 4,
  EXPIRED: 5,
  CANCELLED: 6
} as const

/** Indices into a ring's control words. The first three only ever grow (modulo 2^32). */
export const Control = {
  /** slot numbers that main has handed over */
  PUBLISHED: 0,
  /** slot numbers that the worker has begun with */
  TAKEN: 1,
  /** slot numbers that the worker is through with, whatever their end */
  RETIRED: 2,
  /** 1 while the worker sleeps: main must notify it after publishing */
  ASLEEP: 3,
  /** 1 when main wants a message at the next retirement: it is about to go idle */
  WAKE_MAIN: 4,
  /** 1 asks the worker to finish what is published, release its session and exit */
  STOP: 5,
  /** the monotonic clock, in whole ms and never 0, when the batch under way began; 0 between batches */
  RUN_SINCE: 6
} as const

const CONTROL_WORDS = 16 // a cache line, so that rings do not share one

/** Sizes of the shared memory; plain data, sent to each worker as it is. */
export interface RingShape {
  /** slots for requests, which bounds the queue */
  slots: number
  /** workers, each with a ring of its own */
  rings: number
  windowRows: number
  featureCount: number
}

/** One worker's queue of slot numbers. */
export interface Ring {
  control: Int32Array
  /** slot numbers; `~slot` is the last of a batch that is run whole, by itself */
  entries: Int32Array
  mask: number
}

/** The slot that an entry of a ring names. */
export function slotOf(entry: number): number {
  return entry < 0 ? ~entry : entry
}

/** Views of the same shared memory; main and every worker build their own over one buffer. */
export class SharedSlots {
  readonly buffer: SharedArrayBuffer
  readonly shape: RingShape
  readonly state: Int32Array
  /** monotonic ms after which a waiting row is not run any more */
  readonly deadline: Float64Array
  /** monotonic ms at which the batch that carried the row began, and ms that it took */
  readonly ranAt: Float64Array
  readonly ranFor: Float64Array
  /**
   * rows of the batch, on its first slot; 0 on its others: so each batch is counted once. Below 0: it could not be run whole,
   * and its rows were run one by one
   */
  readonly batchRows: Int32Array
  /** [slots, windowRows, featureCount] in raw units */
  readonly window: Float32Array
  /** [slots, windowRows] minutes since the Unix epoch */
  readonly minute: Int32Array
  /** [slots, featureCount] in raw units */
  readonly forecast: Float32Array
  readonly rings: Ring[]

  constructor(shape: RingShape, buffer?: SharedArrayBuffer) {
    const { slots, windowRows, featureCount } = shape
    const ringEntries = 2 ** Math.ceil(Math.log2(slots))
    const words32 = slots * (2 + windowRows * featureCount + windowRows + featureCount)
    const size = slots * 3 * 8 + (words32 + shape.rings * (CONTROL_WORDS + ringEntries)) * 4
    this.shape = shape
    this.buffer = buffer ?? new SharedArrayBuffer(size)
    let offset = 0
    const doubles = (length: number) => new Float64Array(this.buffer, (offset += length * 8) - length * 8, length)
    const ints = (length: number) => new Int32Array(this.buffer, (offset += length * 4) - length * 4, length)
    const floats = (length: number) => new Float32Array(this.buffer, (offset += length * 4) - length * 4, length)
    this.deadline = doubles(slots)
    this.ranAt = doubles(slots)
    this.ranFor = doubles(slots)
    this.state = ints(slots)
    this.batchRows = ints(slots)
    this.window = floats(slots * windowRows * featureCount)
    this.minute = ints(slots * windowRows)
    this.forecast = floats(slots * featureCount)
    this.rings = Array.from({ length: shape.rings }, () => ({
      control: ints(CONTROL_WORDS),
      entries: ints(ringEntries),
      mask: ringEntries - 1
    }))
  }
}
