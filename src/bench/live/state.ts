import { EventEmitter } from 'node:events'
import { monotonicMs } from '../../clock.js'
import { cellFigures } from '../analysis/figures.js'
import type { Cell } from '../results/cell.schema.js'
import type { Run } from '../results/run.schema.js'

export type Stage = 'warm-up' | 'measured interval'

/** One second of the cell under way. */
export interface Second {
  good: number
  failed: number
  p50Us: number
  p99Us: number
}

/** One cell of the plan as a watcher sees it. */
export interface LiveCell {
  key: string
  status: 'planned' | Stage | 'done'
  /** of a cell that is done */
  rps: number | null
  p99Ms: number | null
  failurePercent: number | null
}

/** All that there is to see of a sweep under way. Times are ms. */
export interface Snapshot {
  cells: LiveCell[]
  /** seconds of the cell under way, the newest last */
  seconds: Second[]
  done: number
  /** expected, from what cells have taken so far; null until one has ended */
  leftMs: number | null
  isFinished: boolean
  isStopping: boolean
}

/** A sweep under way, told by the sweep and watched by displays: `change` follows everything that is told. */
export class LiveState extends EventEmitter<{ change: [] }> {
  readonly #cells = new Map<string, LiveCell>()
  readonly #stop: (why: string) => void
  #seconds: Second[] = []
  #isFinished = false
  #isStopping = false
  /** of the first cell of this process: cells of an earlier one that was resumed took none of its time */
  #startedAt: number | undefined
  #measured = 0

  /** @param stop ends the sweep in order; what it is given says who wanted it */
  constructor(stop: (why: string) => void) {
    super()
    this.#stop = stop
  }

  planned({ plan }: Run): void {
    for (const { key } of plan) this.#set({ key, status: 'planned', rps: null, p99Ms: null, failurePercent: null })
  }

  began(key: string, stage: Stage): void {
    this.#startedAt ??= monotonicMs()
    if (stage === 'warm-up') this.#seconds = []
    this.#set({ ...this.#cells.get(key)!, status: stage })
  }

  tick(second: Second): void {
    this.#seconds.push(second)
    this.emit('change')
  }

  ended(cell: Cell): void {
    const { rps, p99Ms, failurePercent } = cellFigures(cell)
    if (this.#startedAt !== undefined) this.#measured++
    this.#set({ key: cell.plan.key, status: 'done', rps, p99Ms, failurePercent })
  }

  finished(): void {
    this.#isFinished = true
    this.emit('change')
  }

  /** Asks the sweep to stop. */
  stop(why: string): void {
    this.#isStopping = true
    this.emit('change')
    this.#stop(why)
  }

  snapshot(): Snapshot {
    const cells = [...this.#cells.values()]
    const done = cells.filter(({ status }) => status === 'done').length
    const took = this.#startedAt === undefined ? 0 : monotonicMs() - this.#startedAt
    return {
      cells,
      seconds: this.#seconds,
      done,
      leftMs: this.#measured === 0 ? null : (took / this.#measured) * (cells.length - done),
      isFinished: this.#isFinished,
      isStopping: this.#isStopping
    }
  }

  #set(cell: LiveCell): void {
    this.#cells.set(cell.key, cell)
    this.emit('change')
  }
}
