import { Worker } from 'node:worker_threads'
import { type BatchFailure, type RowFailure, WAKE, type WorkerBoot, type WorkerMessage } from './messages.js'
import type { TensorInfo } from '../../bundle/signature.js'

const here = import.meta.url
/** The worker's entry, beside this file: `.ts` where TypeScript is loaded as it stands, `.js` after the build. */
const WORKER_ENTRY = new URL(here.endsWith('.ts') ? './worker.ts' : './worker.js', here)

/** Deaths in a row from which on a worker counts as crash-looping. */
const LOOPING = 3
/** Ms that a worker must live for its predecessors' deaths to be forgotten. */
const STABLE_MS = 5_000
const MAX_BACKOFF_MS = 10_000
/**
 * MiB of a worker's heap for what is new. With Node 24's default a heap that is full ends the process instead of the thread, because what is
 * new has no place in the old part (of 120 heaps filled on purpose 55 did, and none with 8, 16 or 32 MiB; github.com/nodejs/node/issues/47224).
 */
const YOUNG_MB = 16

export interface WorkerOptions {
  boot: WorkerBoot
  /** another entry, for tests that need a worker which misbehaves */
  entry?: URL
  /** MiB of JavaScript heap; the model's own memory lies outside it */
  heapMb: number
}

export interface WorkerEvents {
  /** something was retired */
  wake(): void
  /** batches could not be run whole; told at most once in ten seconds */
  batchFailed(failure: BatchFailure): void
  /** a row could not be run; told before its slot can be seen to have failed, or right after */
  rowFailed(failure: RowFailure): void
  /** the thread is gone without having been asked to; called before a successor starts */
  died(reason: string): void
}

/** One worker thread and its successors: a thread that dies is replaced, ever more slowly if it keeps dying. */
export class WorkerHandle {
  readonly #options: WorkerOptions
  readonly #events: WorkerEvents
  #exited: Promise<void> = Promise.resolve()
  #stopping = false
  #booted = false
  #deaths = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WorkerOptions, events: WorkerEvents) {
    this.#options = options
    this.#events = events
  }

  /** A session is loaded and the worker is not in a crash loop. */
  get healthy(): boolean {
    return this.#booted && this.#deaths < LOOPING
  }

  /** Whether rows that are handed over now will be run soon, be it by a successor. */
  get hopeful(): boolean {
    return this.#deaths < LOOPING
  }

  /** Starts the thread; resolves when its session is loaded, rejects when it cannot be. */
  start(): Promise<{ inputs: TensorInfo[]; outputs: TensorInfo[] }> {
    return new Promise((_resolve, _reject) => {
      const { boot, entry, heapMb } = this.#options
      let thread: Worker
      try {
        thread = new Worker(entry ?? WORKER_ENTRY, {
          workerData: boot,
          name: `forecast-${boot.ring}`,
          resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB }
        })
      } catch (error) {
        // No thread can be had, for want of processes or memory: one that is to replace another is tried for again.
        _reject(new Error('no thread can be started', { cause: error }))
        if (!this.#stopping && this.#deaths > 0) this.#replace(String(error))
        return
      }
      let reason = 'the worker exited'
      thread.on('message', (message: WorkerMessage) => {
        if (message === WAKE) return this.#events.wake()
        if (message.type === 'batch_failed') return this.#events.batchFailed(message)
        if (message.type === 'row_failed') return this.#events.rowFailed(message)
        if (message.type === 'failed') return (reason = message.message)
        this.#becameReady()
        _resolve(message)
      })
      thread.on('error', error => (reason = error instanceof Error ? error.message : String(error)))
      this.#exited = new Promise(resolve => {
        thread.once('exit', () => {
          resolve()
          const wasBooted = this.#booted
          this.#booted = false
          clearTimeout(this.#timer)
          if (!wasBooted) _reject(new Error(reason))
          if (!this.#stopping && (wasBooted || this.#deaths > 0)) this.#replace(reason)
        })
      })
    })
  }

  /** Waits for the thread to be gone after its ring was asked to stop, and starts no successor. */
  async stopped(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    await this.#exited
  }

  #becameReady(): void {
    this.#booted = true
    this.#timer = setTimeout(() => (this.#deaths = 0), STABLE_MS).unref()
  }

  #replace(reason: string): void {
    this.#deaths++
    this.#events.died(reason)
    // The first successor starts at once; a loop of deaths slows down and never spins.
    const backoff = this.#deaths === 1 ? 0 : Math.min(50 * 2 ** this.#deaths, MAX_BACKOFF_MS)
    this.#timer = setTimeout(() => {
      if (!this.#stopping) this.start().catch(() => undefined)
    }, backoff)
  }
}
