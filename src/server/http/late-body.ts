import type { FastifyReply, FastifyRequest } from 'fastify'

/** Bytes of a body that are in the kernel's buffers, or soon are: nobody is kept from reading the answer by them. */
const SHORT_BYTES = 65_536
/** Bytes that are read of a body that nobody wants, and ms that it is waited for: less than REQUEST_TIMEOUT_MS as a rule. */
const MOST_BYTES = 16_777_216
const MOST_MS = 1500

/**
 * Answers a request whose body is refused, after what is left of the body has been read and thrown away. Answered at once, a
 * client that is still sending would have the connection closed under it, and the reset can overtake the answer.
 * Who sends too much, or takes too long, is answered then, and its connection ends.
 */
export function afterBody(request: FastifyRequest, reply: FastifyReply, answer: () => void): void {
  const { raw } = request
  const length = announced(request)
  if (raw.complete || length <= SHORT_BYTES) return answer()
  if (length > MOST_BYTES && length !== Infinity) {
    void reply.header('connection', 'close')
    return answer()
  }
  let left = MOST_BYTES
  const stop = () => {
    clearTimeout(timer)
    raw.off('data', count).off('end', stop).off('close', stop)
    if (!raw.complete) void reply.header('connection', 'close')
    answer()
  }
  const count = (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) stop()
  }
  const timer = setTimeout(stop, MOST_MS)
  raw.on('data', count).on('end', stop).on('close', stop)
}

/** Bytes of the body as its headers say; infinite where it comes in chunks. */
function announced({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity
}
