import type { MessagePort } from 'node:worker_threads'
import { monotonicMs } from '../../../clock.js'
import type { ForecastSession } from '../worker/onnx-session.js'
import { Control, type Ring, SharedSlots, slotOf, SlotState } from './slots.js'
import { WAKE, type WorkerBoot, type WorkerMessage } from '../worker/messages.js'

/** Ms between two messages about batches that fail: under load there may be thousands in a second. */
const REPORT_MS = 10_000
/** Characters of a cause that are passed on. */
const CAUSE_LENGTH = 500

export type SessionOpener = (model: Uint8Array) => Promise<ForecastSession>

/**
 * Serves one ring until asked to stop: takes whatever waits, up to the batch cap, runs it, answers into shared memory.
 * There is no timer and no target size: while a batch runs the next one gathers by itself, and an idle worker takes a
 * single row at once (batch while busy).
 */
export async function serveRing(boot: WorkerBoot, port: MessagePort, open: SessionOpener): Promise<void> {
  const post = (message: WorkerMessage) => port.postMessage(message)
  let session: ForecastSession
  try {
    session = await open(new Uint8Array(boot.model).slice())
  } catch (error) {
    post({ type: 'failed', message: messageOf(error) })
    port.close()
    return
  }
  const loop = new RingConsumer(boot, session, post)
  post({ type: 'ready', inputs: session.inputs, outputs: session.outputs })
  while (!loop.stopped) {
    const rows = loop.take()
    if (rows > 0) await loop.run(rows)
    else if (!loop.retireSkipped()) loop.sleep()
  }
  await session.release()
  port.close()
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

class RingConsumer {
  readonly #slots: SharedSlots
  readonly #ring: Ring
  readonly #session: ForecastSession
  readonly #post: (message: WorkerMessage) => void
  /** slot numbers of the batch under way */
  readonly #batch: Int32Array
  readonly #window: Float32Array
  readonly #minute: Int32Array | undefined
  #taken: number
  /** the batch under way is run as it is or not at all */
  #whole = false
  /** batches that failed since main was told of one, and when that was */
  #failures = 0
  #reportedAt = -Infinity

  constructor(boot: WorkerBoot, session: ForecastSession, post: (message: WorkerMessage) => void) {
    const { shape } = boot
    this.#slots = new SharedSlots(shape, boot.buffer)
    this.#ring = this.#slots.rings[boot.ring]!
    this.#session = session
    this.#post = post
    this.#batch = new Int32Array(boot.batchCap)
    this.#window = new Float32Array(boot.batchCap * shape.windowRows * shape.featureCount)
    if (boot.usesMinute) this.#minute = new Int32Array(boot.batchCap * shape.windowRows)
    // A worker that replaces a dead one goes on behind the batch that died with it.
    this.#taken = Atomics.load(this.#ring.control, Control.RETIRED)
  }

  /** Asked to stop, and nothing published is left. */
  get stopped(): boolean {
    const { control } = this.#ring
    return Atomics.load(control, Control.STOP) === 1 && this.#taken === Atomics.load(control, Control.PUBLISHED)
  }

  /** Moves waiting rows into the batch and returns how many; cancelled and late rows are passed over. */
  take(): number {
    const { control, entries, mask } = this.#ring
    const { state, deadline } = this.#slots
    const published = Atomics.load(control, Control.PUBLISHED)
    if (published === this.#taken) return 0
    const now = monotonicMs()
    let rows = 0
    this.#whole = false
    while (this.#taken !== published && rows < this.#batch.length && !this.#whole) {
      const entry = entries[this.#taken & mask]!
      this.#whole = entry < 0
      const slot = slotOf(entry)
      const next = deadline[slot]! < now ? SlotState.EXPIRED : SlotState.RUNNING
      const waited = Atomics.compareExchange(state, slot, SlotState.WAITING, next) === SlotState.WAITING
      if (waited && next === SlotState.RUNNING) this.#batch[rows++] = slot
      this.#taken = (this.#taken + 1) | 0
    }
    Atomics.store(control, Control.TAKEN, this.#taken)
    return rows
  }

  async run(rows: number): Promise<void> {
    const { control } = this.#ring
    const began = monotonicMs()
    Atomics.store(control, Control.RUN_SINCE, Math.trunc(began) | 1)
    let ran = rows
    try {
      this.#answer(await this.#forecast(0, rows), 0, rows)
    } catch (error) {
      this.#report(rows, messageOf(error))
      if (rows > 1 && !this.#whole) ran = await this.#rescue(rows)
      else for (let row = 0; row < rows; row++) this.#fail(row, error)
    }
    const took = monotonicMs() - began
    for (let row = 0; row < rows; row++) {
      const slot = this.#batch[row]!
      this.#slots.ranAt[slot] = began
      this.#slots.ranFor[slot] = took
      this.#slots.batchRows[slot] = row === 0 ? ran : 0
    }
    Atomics.store(control, Control.RUN_SINCE, 0)
    this.#retire()
  }

  /** Retires rows that were all passed over, so that their slots are free again; false when there were none. */
  retireSkipped(): boolean {
    if (Atomics.load(this.#ring.control, Control.RETIRED) === this.#taken) return false
    this.#retire()
    return true
  }

  /** Sleeps until main has published or wants an end. The flag goes up before the last look: no wake-up is lost. */
  sleep(): void {
    const { control } = this.#ring
    Atomics.store(control, Control.ASLEEP, 1)
    if (Atomics.load(control, Control.PUBLISHED) === this.#taken && Atomics.load(control, Control.STOP) === 0) {
      Atomics.wait(control, Control.ASLEEP, 1)
    }
    Atomics.store(control, Control.ASLEEP, 0)
  }

  #retire(): void {
    const { control } = this.#ring
    Atomics.store(control, Control.RETIRED, this.#taken)
    if (Atomics.exchange(control, Control.WAKE_MAIN, 0) === 1) this.#post(WAKE)
  }

  /** Finds the row at fault in a batch that could not be run whole, so that its neighbours are answered. */
  async #rescue(rows: number): Promise<number> {
    for (let row = 0; row < rows; row++) {
      try {
        this.#answer(await this.#forecast(row, 1), row, 1)
      } catch (error) {
        this.#fail(row, error)
      }
    }
    return -rows
  }

  #fail(row: number, error: unknown): void {
    this.#post({ type: 'row_failed', slot: this.#batch[row]!, cause: messageOf(error).slice(0, CAUSE_LENGTH) })
    Atomics.store(this.#slots.state, this.#batch[row]!, SlotState.FAILED)
  }

  #report(rows: number, cause: string): void {
    this.#failures++
    const now = monotonicMs()
    if (now - this.#reportedAt < REPORT_MS) return
    this.#post({ type: 'batch_failed', rows, cause: cause.slice(0, CAUSE_LENGTH), batches: this.#failures })
    this.#failures = 0
    this.#reportedAt = now
  }

  /** Copies `rows` rows of the batch, from `first`, into the session's input and runs them. */
  #forecast(first: number, rows: number): Promise<Float32Array> {
    const { window, minute, shape } = this.#slots
    const values = shape.windowRows * shape.featureCount
    for (let row = 0; row < rows; row++) {
      const slot = this.#batch[first + row]!
      this.#window.set(window.subarray(slot * values, (slot + 1) * values), row * values)
      this.#minute?.set(minute.subarray(slot * shape.windowRows, (slot + 1) * shape.windowRows), row * shape.windowRows)
    }
    const input = { window: this.#window.subarray(0, rows * values) }
    const times = this.#minute?.subarray(0, rows * shape.windowRows)
    return this.#session.run(times ? { ...input, minute: times } : input, rows, shape.windowRows)
  }

  #answer(forecasts: Float32Array, first: number, rows: number): void {
    const { forecast, state, shape } = this.#slots
    const width = shape.featureCount
    if (forecasts.length !== rows * width) throw new RangeError(`${forecasts.length} values for ${rows} rows`)
    for (let row = 0; row < rows; row++) {
      const slot = this.#batch[first + row]!
      forecast.set(forecasts.subarray(row * width, (row + 1) * width), slot * width)
      Atomics.store(state, slot, SlotState.DONE)
    }
  }
}
