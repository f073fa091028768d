import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** What is left to chance in one load worker: the same seed gives the same course. */
export class LoadRandom {
  readonly #generator
  readonly #lastBody: number
  readonly #checkEvery: number
  #sent = 0

  /** @param options.checkEvery one answer in so many is compared with its forecast */
  constructor(options: { seed: number; bodies: number; checkEvery: number }) {
    this.#generator = xoroshiro128plus(options.seed)
    this.#lastBody = options.bodies - 1
    this.#checkEvery = options.checkEvery
  }

  /** Which body the next request carries, all being equally likely. */
  body(): number {
    return uniformInt(this.#generator, 0, this.#lastBody)
  }

  /** Whether the answer to this request is compared with its forecast. */
  isChecked(): boolean {
    return ++this.#sent % this.#checkEvery === 0
  }

  /** 0 (included) to 1 (excluded). */
  share(): number {
    return uniformFloat64(this.#generator)
  }

  /** Ms to the next arrival of a Poisson process of so many arrivals a ms: exponentially distributed. */
  gapMs(arrivalsPerMs: number): number {
    return -Math.log(1 - this.share()) / arrivalsPerMs
  }
}
