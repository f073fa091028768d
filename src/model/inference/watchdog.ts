import { ServiceError } from '../../errors.js'
import type { RingProducer } from './ring/producer.js'
import type { RowOwner } from './pool-contract.js'
import { type SharedSlots, SlotState } from './ring/slots.js'

export interface Watched {
  slots: SharedSlots
  producers: readonly RingProducer[]
  /** who waits for the row in each slot */
  owners: (RowOwner | undefined)[]
  /** ms that one batch may run */
  runTimeoutMs: number
  /** makes, and counts, the answer to a row whose deadline has passed */
  expired(): ServiceError
}

/** Answers what is late although no worker has come by, and gives up on batches that run for too long. */
export class Watchdog {
  readonly #watched: Watched
  readonly #stuck = new Set<number>()

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Rings whose worker is in a run that takes too long. */
  get stuck(): ReadonlySet<number> {
    return this.#stuck
  }

  /** `now`: monotonic ms; `queued`: rows that wait in the rings or run. */
  look(now: number, queued: number): void {
    if (queued === 0) return this.#stuck.clear()
    const { slots, producers, owners, runTimeoutMs, expired } = this.#watched
    producers.forEach((producer, index) => {
      if (producer.runningFor(now) > runTimeoutMs) this.#stuck.add(index)
      else this.#stuck.delete(index)
    })
    const { state, deadline } = slots
    for (let slot = 0; slot < owners.length; slot++) {
      const owner = owners[slot]
      if (owner === undefined || deadline[slot]! >= now) continue
      if (Atomics.compareExchange(state, slot, SlotState.WAITING, SlotState.CANCELLED) === SlotState.WAITING) {
        this.#giveUp(slot, owner, expired())
      } else if (state[slot] === SlotState.RUNNING && this.#stuck.size > 0) {
        this.#giveUp(slot, owner, new ServiceError('run_timeout', 'the model run took longer than RUN_TIMEOUT_MS'))
      }
    }
  }

  /** The owner is answered now; the slot stays taken until its ring has passed it. */
  #giveUp(slot: number, owner: RowOwner, error: ServiceError): void {
    this.#watched.owners[slot] = undefined
    owner.failed(error)
  }
}
