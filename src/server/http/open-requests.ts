import type { FastifyRequest } from 'fastify'

/** nginx's status of a request whose caller hung up before the answer: no answer has it, only the metric. */
export const HUNG_UP = 499

/** The requests of one connection that are not answered yet. */
export class OpenRequests {
  readonly #open: FastifyRequest[] = []

  opened(request: FastifyRequest): void {
    this.#open.push(request)
  }

  /** False when the caller had hung up before. */
  answered(request: FastifyRequest): boolean {
    const open = this.#open
    if (open.length === 1) return open.pop() === request
    const index = open.indexOf(request)
    if (index !== -1) open.splice(index, 1)
    return index !== -1
  }

  /** The caller has hung up: none of these will be answered. */
  closed(): FastifyRequest[] {
    return this.#open.splice(0)
  }
}
