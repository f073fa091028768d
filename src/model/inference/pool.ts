import { monotonicMs } from '../../clock.js'
import { ModelRefused, ServiceError } from '../../errors.js'
import { Backlog } from './backlog/backlog.js'
import type { Bundle } from '../bundle/bundle.js'
import { RingProducer } from './ring/producer.js'
import type { LongForecast } from './backlog/long-forecasts.js'
import { usesMinute } from '../bundle/manifest.js'
import { SlotAllocator } from './ring/slot-allocator.js'
import { SharedSlots, SlotState } from './ring/slots.js'
import { ModelStatistics } from './statistics.js'
import { checkSignature } from '../bundle/signature.js'
import type { PoolObserver, PoolOptions, RowOwner } from './pool-contract.js'
import { Watchdog } from './watchdog.js'
import type { ValidWindow } from './window.js'
import { WorkerHandle } from './worker/handle.js'
import type { BatchFailure, RowFailure } from './worker/messages.js'

/** Ms between two looks for rows that are past their deadline and for workers that are stuck. */
const SWEEP_MS = 50

/** The workers of one model version, their rings, and the slots that requests hold. */
export class Pool {
  readonly bundle: Bundle
  readonly options: PoolOptions
  readonly slots: SharedSlots
  readonly statistics = new ModelStatistics()
  readonly #observer: PoolObserver
  readonly #producers: RingProducer[] = []
  readonly #workers: WorkerHandle[] = []
  readonly #owners: (RowOwner | undefined)[]
  readonly #allocator: SlotAllocator
  readonly #watchdog: Watchdog
  readonly backlog: Backlog
  /** why rows failed, by their slots, as their workers have told */
  readonly #causes = new Map<number, string>()
  /** why the last worker died whose rows were given up */
  #death = 'no cause was told'
  #turnEnds = false
  #isCollecting = false
  #sweeper: NodeJS.Timeout | undefined

  constructor(bundle: Bundle, options: PoolOptions, observer: PoolObserver) {
    const { manifest } = bundle
    this.bundle = bundle
    this.options = options
    this.#observer = observer
    const shape = { slots: options.queueRows, rings: options.workers, windowRows: manifest.window }
    this.slots = new SharedSlots({ ...shape, featureCount: manifest.features.length })
    this.#owners = new Array<RowOwner | undefined>(options.queueRows).fill(undefined)
    this.#allocator = new SlotAllocator(options.queueRows)
    this.backlog = new Backlog(options, monotonicMs())
    this.#watchdog = new Watchdog({
      slots: this.slots,
      producers: this.#producers,
      owners: this.#owners,
      runTimeoutMs: options.runTimeoutMs,
      expired: () => this.expired()
    })
    this.slots.rings.forEach((ring, index) => this.#addProducer(new RingProducer(this.slots, ring), index))
  }

  #addProducer(producer: RingProducer, index: number): void {
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
    const events = {
      wake: () => this.#turn(),
      died: (reason: string) => this.#workerDied(producer, index, reason),
      batchFailed: (failure: BatchFailure) => this.#observer.batchFailed(failure),
      rowFailed: ({ slot, cause }: RowFailure) => void this.#causes.set(slot, cause)
    }
    this.#producers.push(producer)
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
    return this.#watchdog.stuck.size === 0 && this.#workers.every(worker => worker.healthy)
  }

  /** Slots taken by requests. */
  get taken(): number {
    return this.#allocator.taken
  }

  /** Whether every slot is taken, also after a look for what is finished and only waits to be collected. */
  isFull(): boolean {
    if (this.#allocator.full) this.#collect()
    return this.#allocator.full
  }

  /** Why a request for so many steps, which would be given up on after `patienceMs`, is not taken on now; undefined if it is. */
  refusal(steps: number, patienceMs: number): ServiceError | undefined {
    if (!this.#producers.some((_, index) => this.#able(index))) {
      return new ServiceError('model_not_ready', 'no worker can run the model at present')
    }
    if (this.backlog.long.underWay > 0) this.#keepGoing()
    if (this.isFull())
      return new ServiceError('queue_full', `the queue is full: all ${this.options.queueRows} slots are taken`)
    if (this.backlog.endsInTime(steps, patienceMs)) return undefined
    return new ServiceError(
      'queue_full',
      `the queue is too long: a forecast of ${steps === 1 ? '1 step' : `${steps} steps`} would not end in time`
    )
  }

  /** Takes a slot for a request, or throws the refusal. */
  acquire(steps = 1, patienceMs = Infinity): number {
    const refusal = this.refusal(steps, patienceMs)
    if (refusal) throw refusal
    return this.#allocator.take()!
  }

  /**
   * Takes a slot for each of many forecasts of one call, or throws the refusal of all: where they would not end in time, or would take
   * more than half of the slots, which callers with one window need.
   */
  acquireMany(steps: readonly number[], patienceMs: number): number[] {
    const refusal = this.refusal(1, patienceMs)
    if (refusal) throw refusal
    const free = Math.ceil(this.options.queueRows / 2) - this.taken
    if (steps.length > free)
      throw new ServiceError('queue_full', `${steps.length} windows need slots, ${Math.max(0, free)} are free`)
    if (!this.backlog.allEndInTime(steps, patienceMs)) {
      throw new ServiceError('queue_full', `too much work is waiting: ${steps.length} windows would not end in time`)
    }
    return steps.map(() => this.#allocator.take()!)
  }

  /** Gives back the slot of a request that is not in a ring. */
  release(slot: number): void {
    this.slots.state[slot] = SlotState.FREE
    this.#allocator.giveBack(slot)
  }

  /** Puts a row into the shortest ring. `deadline` is on the monotonic clock, in ms. */
  submit({ slot }: ValidWindow, owner: RowOwner, deadline: number): void {
    this.slots.deadline[slot] = deadline
    this.#owners[slot] = owner
    this.backlog.put(1)
    this.#shortest().put(slot)
    this.#endTurn()
  }

  /** Puts a batch into one worker's ring that is run whole, by itself, or fails. The owner hears of each of its rows. */
  submitWhole(batch: readonly ValidWindow[], worker: number, owner: RowOwner, deadline: number): void {
    const slots = batch.map(({ slot }) => slot)
    for (const slot of slots) {
      this.slots.deadline[slot] = deadline
      this.#owners[slot] = owner
    }
    this.backlog.put(batch.length)
    this.#producers[worker]!.putWhole(slots)
    this.#endTurn()
  }

  #endTurn(): void {
    if (this.#turnEnds) return
    this.#turnEnds = true
    setImmediate(() => {
      this.#turnEnds = false
      this.#turn()
    })
  }

  /**
   * The caller of a submitted row has gone: its owner hears nothing more, and the slot is freed when it is passed. False when
   * there is no such row.
   */
  cancel(slot: number, owner: RowOwner): boolean {
    // An answered caller can hang up before it has read the answer: somebody else has its slot by then.
    if (this.#owners[slot] !== owner) return false
    this.#owners[slot] = undefined
    Atomics.compareExchange(this.slots.state, slot, SlotState.WAITING, SlotState.CANCELLED)
    this.#observer.rowCancelled()
    return true
  }

  /** The caller of a forecast that waits for its turn has gone; false where it does not wait. */
  withdraw(slot: number, forecast: LongForecast): boolean {
    if (!this.backlog.long.withdraw(forecast)) return false
    this.release(slot)
    this.#observer.rowCancelled()
    return true
  }

  /** Resolves when no slot is taken any more. */
  drained(): Promise<void> {
    return this.#allocator.allFree()
  }

  /** Ends the workers after the rows that are in their rings. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    for (const producer of this.#producers) producer.stop()
    await Promise.all(this.#workers.map(worker => worker.stopped()))
  }

  /** Whether a row that is put into this ring will be run soon. */
  #able(index: number): boolean {
    return this.#workers[index]!.hopeful && !this.#watchdog.stuck.has(index)
  }

  #shortest(): RingProducer {
    let shortest: RingProducer | undefined
    for (let index = 0; index < this.#producers.length; index++) {
      const producer = this.#producers[index]!
      const shorter = shortest === undefined || producer.outstanding < shortest.outstanding
      if (shorter && this.#able(index)) shortest = producer
    }
    return shortest ?? this.#producers[0]!
  }

  /** The end of an event-loop turn, or a worker's message: hand over, look for results, ask for a wake-up if idle. */
  #turn(): void {
    for (const producer of this.#producers) producer.publish()
    this.#collect()
    for (const producer of this.#producers) {
      while (producer.outstanding > 0 && producer.askForWake()) this.#collect()
      // Answers may have put rows in for their next step.
      producer.publish()
    }
  }

  /** In a turn that reads many requests long forecasts would take one step a turn, and the workers would wait for its end. */
  #keepGoing(): void {
    this.#collect()
    for (const producer of this.#producers) producer.feed()
  }

  /** Looks for results. Also before a request is refused: what has been finished in this turn still has its slots. */
  #collect(): void {
    // What an answer sets off may ask for a slot.
    if (this.#isCollecting) return
    this.#isCollecting = true
    for (const producer of this.#producers) producer.collect(this.#deliver)
    this.#isCollecting = false
  }

  readonly #deliver = (slot: number): void => {
    const { state, batchRows, ranFor } = this.slots
    this.backlog.delivered()
    const end = state[slot]!
    const rows = batchRows[slot]!
    if (rows !== 0 && end !== SlotState.EXPIRED && end !== SlotState.CANCELLED) {
      this.#observer.batchRan(Math.abs(rows), ranFor[slot]! / 1000)
      this.statistics.batchRan(Math.abs(rows), ranFor[slot]!)
      this.backlog.ran(Math.abs(rows), ranFor[slot]!)
      if (rows < 0) this.#observer.batchRescued()
      batchRows[slot] = 0
    }
    const owner = this.#owners[slot]
    this.#owners[slot] = undefined
    if (owner === undefined) return this.release(slot)
    if (end === SlotState.DONE) return owner.answered(slot)
    if (end === SlotState.FAILED) return this.#failed(slot, owner)
    this.release(slot)
    owner.failed(this.expired())
  }

  /**
   * Tells a row's owner why its run failed. The worker's message may still wait to be read, so a turn of the event loop comes
   * first: a turn that has begun is over with the first callback, and messages are read in the next. The slot is kept until then.
   */
  #failed(slot: number, owner: RowOwner): void {
    const death = this.#death
    const tell = () => {
      const cause = new Error(this.#causes.get(slot) ?? death)
      this.#causes.delete(slot)
      this.release(slot)
      owner.failed(new ServiceError('worker_failed', 'the model run failed', undefined, { cause }))
    }
    setImmediate(() => setImmediate(tell))
  }

  /** Counts a request that waited past its deadline, and is the answer to it. */
  expired(): ServiceError {
    this.#observer.rowExpired()
    return new ServiceError('deadline_exceeded', 'the deadline passed before the model could run')
  }

  #workerDied(producer: RingProducer, index: number, reason: string): void {
    this.#observer.workerDied(reason)
    this.#death = reason
    producer.publish()
    producer.abandon(this.#workers[index]!.hopeful)
    this.#turn()
  }

  #sweep(): void {
    const now = monotonicMs()
    this.backlog.look(now)
    this.#watchdog.look(now, this.backlog.queued)
  }
}
