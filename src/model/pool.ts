import { monotonicMs } from '../clock.js'
import { ModelRefused, ServiceError } from '../errors.js'
import type { Bundle } from './bundle.js'
import { Lane } from './lane.js'
import { usesMinute } from './manifest.js'
import { Places } from './places.js'
import { SharedSlots, SlotState } from './ring.js'
import { checkSignature } from './signature.js'
import type { ValidWindow } from './window.js'
import { WorkerHandle } from './worker-handle.js'

/** Ms between two looks for rows that are past their deadline and for workers that are stuck. */
const SWEEP_MS = 50

export interface PoolOptions {
  /** places for rows, waiting or running: the queue's bound */
  queueRows: number
  workers: number
  batchCap: number
  /** ms that one batch may run before its rows are given up and the pool counts as not ready */
  runTimeoutMs: number
  heapMb: number
  /** its workers run when nobody else needs the processor */
  background?: boolean
  workerEntry?: URL
}

/** What the pool tells whoever counts. Seconds and rows; called on the main thread, kept cheap. */
export interface PoolObserver {
  batchRan(rows: number, seconds: number): void
  rowExpired(): void
  rowCancelled(): void
  workerDied(reason: string): void
}

/** Who waits for a row. Exactly one of the two is called, once for each `submit`, unless the row is cancelled. */
export interface RowOwner {
  answered(slot: number): void
  failed(error: ServiceError): void
}

/** The workers of one model version, their rings, and the places that requests take in them. */
export class Pool {
  readonly bundle: Bundle
  readonly options: PoolOptions
  readonly slots: SharedSlots
  readonly #observer: PoolObserver
  readonly #lanes: Lane[] = []
  readonly #workers: WorkerHandle[] = []
  readonly #owners: (RowOwner | undefined)[]
  readonly #places: Places
  readonly #stuck = new Set<number>()
  #inLanes = 0
  #turnEnds = false
  #sweeper: NodeJS.Timeout | undefined

  constructor(bundle: Bundle, options: PoolOptions, observer: PoolObserver) {
    const { manifest } = bundle
    this.bundle = bundle
    this.options = options
    this.#observer = observer
    const shape = { slots: options.queueRows, rings: options.workers, windowRows: manifest.window }
    this.slots = new SharedSlots({ ...shape, featureCount: manifest.features.length })
    this.#owners = new Array<RowOwner | undefined>(options.queueRows).fill(undefined)
    this.#places = new Places(options.queueRows)
    this.slots.rings.forEach((ring, index) => this.#addLane(new Lane(this.slots, ring), index))
  }

  #addLane(lane: Lane, index: number): void {
    const { batchCap, heapMb, background = false, workerEntry: entry } = this.options
    const boot = {
      shape: this.slots.shape,
      buffer: this.slots.buffer,
      ring: index,
      model: this.bundle.model,
      batchCap,
      background,
      usesMinute: usesMinute(this.bundle.manifest)
    }
    const events = { wake: () => this.#turn(), died: (reason: string) => this.#workerDied(lane, index, reason) }
    this.#lanes.push(lane)
    this.#workers.push(new WorkerHandle({ boot, heapMb, ...(entry && { entry }) }, events))
  }

  /** Starts the workers; refuses the model when a session cannot be created or has other tensors than the manifest. */
  async start(): Promise<void> {
    try {
      const signatures = await Promise.all(this.#workers.map(worker => worker.start()))
      for (const signature of signatures) checkSignature(this.bundle.manifest, signature)
    } catch (error) {
      await this.close()
      if (error instanceof ModelRefused) throw error
      throw new ModelRefused('load_failed', `the model cannot be loaded: ${(error as Error).message}`, { cause: error })
    }
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  /** Every worker has its session, none is stuck or in a crash loop. */
  get ready(): boolean {
    return this.#stuck.size === 0 && this.#workers.every(worker => worker.healthy)
  }

  /** Places taken by requests. */
  get taken(): number {
    return this.#places.taken
  }

  /** Rows that wait in the rings or run. */
  get queued(): number {
    return this.#inLanes
  }

  get full(): boolean {
    return this.#places.full
  }

  /** Takes a place for a request, or throws the refusal. */
  acquire(): number {
    if (!this.#lanes.some((_, index) => this.#able(index))) {
      throw new ServiceError('model_not_ready', 'no worker is able to run the model')
    }
    const slot = this.#places.take()
    if (slot === undefined) throw new ServiceError('queue_full', `all ${this.options.queueRows} places are taken`)
    return slot
  }

  /** Gives back the place of a request that is not in a ring. */
  release(slot: number): void {
    this.slots.state[slot] = SlotState.FREE
    this.#places.giveBack(slot)
  }

  /** Puts a row into the shortest ring. `deadline` is on the monotonic clock, in ms. */
  submit({ slot }: ValidWindow, owner: RowOwner, deadline: number): void {
    this.slots.deadline[slot] = deadline
    this.#owners[slot] = owner
    this.#inLanes++
    this.#shortestLane().put(slot)
    if (this.#turnEnds) return
    this.#turnEnds = true
    setImmediate(() => {
      this.#turnEnds = false
      this.#turn()
    })
  }

  /** The caller of a submitted row has gone: its owner hears nothing more, and the place is freed when it is passed. */
  cancel(slot: number, owner: RowOwner): void {
    // An answered caller can hang up before it has read the answer: somebody else has its place by then.
    if (this.#owners[slot] !== owner) return
    this.#owners[slot] = undefined
    Atomics.compareExchange(this.slots.state, slot, SlotState.WAITING, SlotState.CANCELLED)
    this.#observer.rowCancelled()
  }

  /** Resolves when no place is taken any more. */
  drained(): Promise<void> {
    return this.#places.allFree()
  }

  /** Ends the workers after the rows that are in their rings. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    for (const lane of this.#lanes) lane.stop()
    await Promise.all(this.#workers.map(worker => worker.stopped()))
  }

  /** Whether a row that is put into this ring will be run soon. */
  #able(index: number): boolean {
    return this.#workers[index]!.hopeful && !this.#stuck.has(index)
  }

  #shortestLane(): Lane {
    let shortest: Lane | undefined
    for (let index = 0; index < this.#lanes.length; index++) {
      const lane = this.#lanes[index]!
      const shorter = shortest === undefined || lane.outstanding < shortest.outstanding
      if (shorter && this.#able(index)) shortest = lane
    }
    return shortest ?? this.#lanes[0]!
  }

  /** The end of an event-loop turn, or a worker's message: hand over, look for results, ask for a wake-up if idle. */
  #turn(): void {
    for (const lane of this.#lanes) {
      lane.publish()
      lane.collect(this.#deliver)
      while (lane.outstanding > 0 && lane.askForWake()) lane.collect(this.#deliver)
      // Answers may have put rows in for their next step.
      lane.publish()
    }
  }

  readonly #deliver = (slot: number): void => {
    const { state, batchRows, ranFor } = this.slots
    this.#inLanes--
    const end = state[slot]!
    if (batchRows[slot]! > 0 && end !== SlotState.EXPIRED && end !== SlotState.CANCELLED) {
      this.#observer.batchRan(batchRows[slot]!, ranFor[slot]! / 1000)
      batchRows[slot] = 0
    }
    const owner = this.#owners[slot]
    this.#owners[slot] = undefined
    if (owner === undefined) return this.release(slot)
    if (end === SlotState.DONE) return owner.answered(slot)
    this.release(slot)
    owner.failed(
      end === SlotState.EXPIRED ? this.#expired() : new ServiceError('worker_failed', 'the model run failed')
    )
  }

  #expired(): ServiceError {
    this.#observer.rowExpired()
    return new ServiceError('deadline_exceeded', 'the deadline passed before the model could run')
  }

  #workerDied(lane: Lane, index: number, reason: string): void {
    this.#observer.workerDied(reason)
    lane.publish()
    lane.abandon(this.#workers[index]!.hopeful)
    this.#turn()
  }

  /** Answers what is late although no worker has come by, and gives up on batches that run for too long. */
  #sweep(): void {
    if (this.#inLanes === 0) return this.#stuck.clear()
    const now = monotonicMs()
    this.#lanes.forEach((lane, index) => {
      if (lane.runningFor(now) > this.options.runTimeoutMs) this.#stuck.add(index)
      else this.#stuck.delete(index)
    })
    const { state, deadline } = this.slots
    for (let slot = 0; slot < this.#owners.length; slot++) {
      const owner = this.#owners[slot]
      if (owner === undefined || deadline[slot]! >= now) continue
      if (Atomics.compareExchange(state, slot, SlotState.WAITING, SlotState.CANCELLED) === SlotState.WAITING) {
        this.#giveUp(slot, owner, this.#expired())
      } else if (state[slot] === SlotState.RUNNING && this.#stuck.size > 0) {
        this.#giveUp(slot, owner, new ServiceError('run_timeout', 'the model run took too long'))
      }
    }
  }

  /** The owner is answered now; the place stays taken until its ring has passed it. */
  #giveUp(slot: number, owner: RowOwner, error: ServiceError): void {
    this.#owners[slot] = undefined
    owner.failed(error)
  }
}
