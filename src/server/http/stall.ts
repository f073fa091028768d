import type { Socket } from 'node:net'

/** Whether the other side takes what is sent to it, told from looks at the socket: a timer a write would cost the hot path. */
export class Stall {
  #written = 0
  #since = performance.now()

  /** Ms, at monotonic `now`, since when it has had bytes to take and took none. */
  ms(socket: Socket, now: number): number {
    const unsent = socket.writableLength
    const written = socket.bytesWritten - unsent
    if (unsent === 0 || written !== this.#written) {
      this.#written = written
      this.#since = now
    }
    return now - this.#since
  }
}
