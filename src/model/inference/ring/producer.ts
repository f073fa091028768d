import { Control, type Ring, type SharedSlots, slotOf, SlotState } from './slots.js'

/** Rows handed over before the turn ends: main and worker overlap instead of taking turns. */
const PUBLISH_EVERY = 8

/** Main's side of one worker's ring: the only writer of its entries. */
export class RingProducer {
  readonly #slots: SharedSlots
  readonly #ring: Ring
  #written: number
  #published: number
  #collected: number

  constructor(slots: SharedSlots, ring: Ring) {
    this.#slots = slots
    this.#ring = ring
    this.#written = this.#published = Atomics.load(ring.control, Control.PUBLISHED)
    this.#collected = Atomics.load(ring.control, Control.RETIRED)
  }

  /** Rows that were put in and not yet collected, whatever becomes of them. */
  get outstanding(): number {
    return (this.#written - this.#collected) | 0
  }

  put(slot: number): void {
    this.#slots.state[slot] = SlotState.WAITING
    this.#ring.entries[this.#written & this.#ring.mask] = slot
    this.#written = (this.#written + 1) | 0
    if (((this.#written - this.#published) | 0) >= PUBLISH_EVERY) this.publish()
  }

  /** Puts in a batch that is run as it is: by itself, and whole or not at all. Its last entry says so, and it is handed over at once. */
  putWhole(batch: readonly number[]): void {
    const { entries, mask } = this.#ring
    batch.forEach((slot, row) => {
      this.#slots.state[slot] = SlotState.WAITING
      entries[this.#written & mask] = row === batch.length - 1 ? ~slot : slot
      this.#written = (this.#written + 1) | 0
    })
    this.publish()
  }

  /** Hands over what was put in, and wakes the worker if it sleeps. */
  publish(): void {
    if (this.#published === this.#written) return
    this.#published = this.#written
    const { control } = this.#ring
    Atomics.store(control, Control.PUBLISHED, this.#published)
    this.wakeWorker()
  }

  /** Hands over what was put in if the worker has nothing else to do. */
  feed(): void {
    if (this.#published === Atomics.load(this.#ring.control, Control.RETIRED)) this.publish()
  }

  wakeWorker(): void {
    const { control } = this.#ring
    if (Atomics.load(control, Control.ASLEEP) === 1) {
      Atomics.store(control, Control.ASLEEP, 0)
      Atomics.notify(control, Control.ASLEEP)
    }
  }

  /** Passes every retired slot on, in order. */
  collect(deliver: (slot: number) => void): void {
    const retired = Atomics.load(this.#ring.control, Control.RETIRED)
    while (this.#collected !== retired) {
      const slot = slotOf(this.#ring.entries[this.#collected & this.#ring.mask]!)
      this.#collected = (this.#collected + 1) | 0
      deliver(slot)
    }
  }

  /** Asks for a message at the next retirement; true when something was retired meanwhile and must be collected. */
  askForWake(): boolean {
    const { control } = this.#ring
    Atomics.store(control, Control.WAKE_MAIN, 1)
    return Atomics.load(control, Control.RETIRED) !== this.#collected
  }

  /** Ms that the batch under way has been running; 0 between batches. */
  runningFor(now: number): number {
    const since = Atomics.load(this.#ring.control, Control.RUN_SINCE)
    return since === 0 ? 0 : (Math.trunc(now) - since) | 0
  }

  /** Asks the worker to finish what is published and to exit. */
  stop(): void {
    Atomics.store(this.#ring.control, Control.STOP, 1)
    this.wakeWorker()
  }

  /** After the worker's death: fails the rows that it was running, and the waiting ones too unless a successor comes. */
  abandon(successor: boolean): void {
    const { control, entries, mask } = this.#ring
    let position = Atomics.load(control, Control.RETIRED)
    while (position !== this.#published) {
      const slot = slotOf(entries[position & mask]!)
      const state = Atomics.load(this.#slots.state, slot)
      if (state === SlotState.WAITING && successor) break
      if (state === SlotState.RUNNING || state === SlotState.WAITING)
        Atomics.store(this.#slots.state, slot, SlotState.FAILED)
      position = (position + 1) | 0
    }
    Atomics.store(control, Control.TAKEN, position)
    Atomics.store(control, Control.RETIRED, position)
    Atomics.store(control, Control.RUN_SINCE, 0)
    Atomics.store(control, Control.ASLEEP, 0)
  }
}
