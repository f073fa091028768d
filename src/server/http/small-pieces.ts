/** Bytes of a piece that may stand for itself: keeping a Buffer costs about 150 bytes of memory, and time. */
const SMALL_BYTES = 1024
/** Bytes of the pieces that small ones are put together to. */
const TOGETHER_BYTES = 16_384

/**
 * Puts the small pieces of a body together before anybody keeps them: with a chunk a byte, which HTTP allows, a body of 320 kB would
 * be 320,000 Buffers. A single piece, as ordinary requests have, is passed on as it is.
 */
export class SmallPieces {
  readonly #take: (piece: Buffer) => void
  /** a small piece that may be the only one */
  #first: Buffer | null = null
  /** what is being put together, and how many of its bytes are there */
  #together: Buffer | null = null
  #length = 0

  /** `take` is called with each piece, in order; it may keep what it gets. */
  constructor(take: (piece: Buffer) => void) {
    this.#take = take
  }

  add(piece: Buffer): void {
    if (piece.length >= SMALL_BYTES) {
      this.flush()
      this.#take(piece)
    } else if (this.#first === null && this.#together === null) this.#first = piece
    else this.#append(piece)
  }

  #append(piece: Buffer): void {
    const first = this.#first
    this.#first = null
    if (first !== null) this.#append(first)
    if (this.#length + piece.length > TOGETHER_BYTES) this.flush()
    this.#together ??= Buffer.allocUnsafeSlow(TOGETHER_BYTES)
    this.#length += piece.copy(this.#together, this.#length)
  }

  /** Passes on what has not been yet: to be called at the end of a body, and before anything else is done with what came of it. */
  flush(): void {
    const last = this.#first ?? this.#together?.subarray(0, this.#length)
    if (last === undefined) return
    this.drop()
    this.#take(last)
  }

  /** Forgets what has not been passed on. */
  drop(): void {
    this.#first = this.#together = null
    this.#length = 0
  }
}
