/** A forecast of more than one step, as the order of the long ones sees it. */
export interface LongForecast {
  readonly steps: number
  /** monotonic ms by which its last step must have begun */
  readonly deadline: number
  /** Its turn has come: its first row may go into a ring. */
  begin(): void
  /** Its turn has come, or its deadline, and it cannot end in time any more. */
  tooLate(): void
}

/** What is known of the work ahead when it is asked for. */
export interface WorkAhead {
  /** rows in the rings, of forecasts of one step and of several */
  queued: number
  rowsPerMs: number
}

/**
 * The forecasts of several steps. Only a few are under way at once, enough to fill the batches; the others wait for one of them to
 * end, first come, first served. If all were under way, each would take part in every round of the ring, all would end late
 * together, and under overload nobody would be answered in time. Rows of one step never wait here.
 */
export class LongForecasts {
  readonly #limit: number
  readonly #waiting: LongForecast[] = []
  #underWay = 0
  #steps = 0

  /** `limit`: forecasts that are under way at once. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Steps that are still to be run, of those under way and those that wait. */
  get steps(): number {
    return this.#steps
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Ms from now in which forecasts of so many steps each, which come now together, will have ended. */
  expectedMs(steps: readonly number[], { queued, rowsPerMs }: WorkAhead): number {
    // Each round of the rings runs one row of each that is under way, and whatever else waits there.
    const long = Math.min(this.#limit, this.#underWay + steps.length)
    const others = Math.max(0, queued - this.#underWay)
    const all = steps.reduce((sum, one) => sum + one, this.#steps)
    const rounds = Math.max(...steps, all / long)
    return (rounds * (long + others)) / rowsPerMs
  }

  /** Takes a forecast on, which begins at once or in its turn. */
  enter(forecast: LongForecast): void {
    this.#steps += forecast.steps
    if (this.#underWay < this.#limit) this.#begin(forecast)
    else this.#waiting.push(forecast)
  }

  /** One step of a forecast that is under way has been run. */
  stepped(): void {
    this.#steps--
  }

  /** A forecast that was under way has ended, with so many steps not run; the next ones begin, as `work` lets them. */
  ended(stepsLeft: number, now: number, work: WorkAhead): void {
    this.#steps -= stepsLeft
    this.#underWay--
    while (this.#underWay < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (now + this.#alone(next.steps, work) > next.deadline) this.#giveUp(next)
      else this.#begin(next)
    }
  }

  /** The caller of a forecast that waits has gone; false for one that does not wait. */
  withdraw(forecast: LongForecast): boolean {
    const index = this.#waiting.indexOf(forecast)
    if (index === -1) return false
    this.#waiting.splice(index, 1)
    this.#steps -= forecast.steps
    return true
  }

  /** Gives up on those whose deadline has passed while they waited. */
  expire(now: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.deadline < now) this.#giveUp(this.#waiting.shift()!)
  }

  #begin(forecast: LongForecast): void {
    this.#underWay++
    forecast.begin()
  }

  #giveUp(forecast: LongForecast): void {
    this.#steps -= forecast.steps
    forecast.tooLate()
  }

  /** Ms that one takes which is under way beside as many others as may be. */
  #alone(steps: number, { queued, rowsPerMs }: WorkAhead): number {
    return (steps * Math.max(queued, this.#underWay + 1)) / rowsPerMs
  }
}
