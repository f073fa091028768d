/** Hands out the slots of a pool. A request holds its slot for its whole life. */
export class SlotAllocator {
  readonly capacity: number
  readonly #free: number[]
  readonly #waiting: (() => void)[] = []

  constructor(capacity: number) {
    this.capacity = capacity
    // Popped from the end, so that low slots are used first and a quiet service touches little memory.
    this.#free = Array.from({ length: capacity }, (_, index) => capacity - 1 - index)
  }

  get taken(): number {
    return this.capacity - this.#free.length
  }

  get full(): boolean {
    return this.#free.length === 0
  }

  /** A slot number, or undefined if every slot is taken. */
  take(): number | undefined {
    return this.#free.pop()
  }

  giveBack(slot: number): void {
    this.#free.push(slot)
    if (this.#waiting.length > 0 && this.taken === 0) for (const done of this.#waiting.splice(0)) done()
  }

  /** Resolves when no slot is taken any more. */
  allFree(): Promise<void> {
    if (this.taken === 0) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
