import { monotonicMs } from '../../clock.js'
import { isSuccess } from '../samples/answers.js'
import { Tally } from '../samples/tally.js'

/** A stretch of time under measurement. */
export interface Interval {
  tally: Tally
  /** machine clock */
  from: number
  /** good answers by second since `from` */
  perSecond: number[]
}

/** An answer that came in at `now` on the machine's clock. */
export interface Answer {
  status: number
  latencyMs: number
  now: number
  /** how its check ended, where it was checked */
  matched: boolean | undefined
  /** error codes of the windows that failed in a 2xx answer */
  failures?: readonly string[]
}

interface Cut {
  at: number
  timer: NodeJS.Timeout
  done(at: number): void
}

/**
 * Counts what one load worker's requests came to. Everything goes into one slice; at a cut the slice is added to the
 * second, to the interval and to the whole. A cut lies at an agreed time of the machine's clock, so all load workers cut at
 * the same moment however late their timers are: an answer that ends after it falls into the next slice.
 */
export class Recorder {
  readonly whole = new Tally()
  readonly #slice = new Tally()
  readonly #second = new Tally()
  #interval: Interval | undefined
  #cuts: Cut[] = []
  #nextCut = Infinity

  answer({ status, latencyMs, now, matched, failures = [] }: Answer): void {
    if (now >= this.#nextCut) this.#cutUpTo(now)
    const slice = this.#slice
    slice.completed++
    slice.statuses[status] = (slice.statuses[status] ?? 0) + 1
    if (!isSuccess(status)) return
    slice.ok++
    slice.latency.recordValue(Math.round(latencyMs * 1000))
    if (failures.length > 0) {
      slice.partial++
      for (const code of failures) slice.failedWindows[code] = (slice.failedWindows[code] ?? 0) + 1
      return
    }
    if (matched !== undefined) slice.checked++
    if (matched === false) {
      slice.mismatched++
      return
    }
    if (!this.#interval) return
    const { perSecond, from } = this.#interval
    const second = Math.floor((now - from) / 1000)
    perSecond[second] = (perSecond[second] ?? 0) + 1
  }

  /** A request that got no answer; without `kind` its connection was closed in peace, and the request is lost. */
  failure(now: number, kind?: string): void {
    if (now >= this.#nextCut) this.#cutUpTo(now)
    if (kind === undefined) this.#slice.lost++
    else this.#slice.errors[kind] = (this.#slice.errors[kind] ?? 0) + 1
  }

  /** Starts an interval at a time of the machine's clock; resolves when that time has come. */
  async begin(at: number): Promise<void> {
    await this.#cut(at, time => {
      this.#interval = { tally: new Tally(), from: time, perSecond: [] }
    })
  }

  /** Ends the interval at a time of the machine's clock and gives it with its length in ms. */
  async end(at: number): Promise<Interval & { elapsedMs: number }> {
    let ended: Interval | undefined
    const time = await this.#cut(at, () => {
      ended = this.#interval
      this.#interval = undefined
    })
    if (!ended) throw new Error('no interval was begun')
    return { ...ended, elapsedMs: time - ended.from }
  }

  /** Cuts at a time of the machine's clock and gives the tally since the last call, which is used again afterwards. */
  async second(at: number): Promise<Tally> {
    const copy = new Tally()
    await this.#cut(at, () => {
      copy.add(this.#second)
      this.#second.reset()
    })
    return copy
  }

  /** Adds what is left to the whole; cuts that are still to come are made now. */
  finish(): void {
    this.#cutUpTo(monotonicMs(), Infinity)
    this.#flush()
  }

  #cut(at: number, then: (at: number) => void): Promise<number> {
    const now = monotonicMs()
    const time = Math.max(at, now)
    return new Promise(resolve => {
      const done = (at: number): void => {
        then(at)
        resolve(at)
      }
      const look = (): void => {
        const now = monotonicMs()
        // A timer may fire a fraction of a ms early.
        if (now < time) cut.timer = setTimeout(look, 1)
        else this.#cutUpTo(now)
      }
      const cut: Cut = { at: time, done, timer: setTimeout(look, time - now) }
      this.#cuts.push(cut)
      this.#cuts.sort((a, b) => a.at - b.at)
      this.#nextCut = this.#cuts[0]!.at
    })
  }

  #cutUpTo(now: number, limit = now): void {
    while (this.#cuts.length > 0 && this.#cuts[0]!.at <= limit) {
      const { at, timer, done } = this.#cuts.shift()!
      clearTimeout(timer)
      this.#flush()
      done(Math.min(at, now))
    }
    this.#nextCut = this.#cuts[0]?.at ?? Infinity
  }

  #flush(): void {
    this.#second.add(this.#slice)
    this.#interval?.tally.add(this.#slice)
    this.whole.add(this.#slice)
    this.#slice.reset()
  }
}
