import type { FastifyReply } from 'fastify'

/** Says that an answer depends on this header of its request, beside those that were named before. */
export function vary(reply: FastifyReply, header: string): void {
  const before = reply.getHeader('vary')
  void reply.header('vary', before === undefined ? header : `${String(before)}, ${header}`)
}
