import { deflate, gzip, type ZlibOptions } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { vary } from './vary.js'

/** The cheapest level: numbers become a third, and the dearest level would win a tenth more for five times the CPU. */
const OPTIONS: ZlibOptions = { level: 1 }
/** Length of an answer that goes out in one packet anyway. */
const SHORT = 1400
/** In the order in which they are chosen, where the caller has no preference. */
const PACKERS = { gzip, deflate }
type Coding = keyof typeof PACKERS

/**
 * Sends an answer, packed where `accept-encoding` asks for it. Not a hook on all answers: what decides whether the connection ends would have
 * been asked before the packing, and requests may come meanwhile.
 */
export function sendOnWish(request: FastifyRequest, reply: FastifyReply, answer: string | Buffer): void {
  vary(reply, 'accept-encoding')
  const coding = answer.length < SHORT ? undefined : codingFor(request.headers['accept-encoding'])
  if (coding === undefined) return void reply.send(answer)
  PACKERS[coding](answer, OPTIONS, (error, bytes) => {
    if (error) return void reply.send(answer)
    void reply.header('content-encoding', coding).send(bytes)
  })
}

/** Which coding a caller likes best (RFC 9110 12.5.3); undefined for none. */
function codingFor(header: string | string[] | undefined): Coding | undefined {
  if (header === undefined) return undefined
  const weights = weightsIn(String(header).toLowerCase())
  let best: Coding | undefined
  // What is not named is not unwelcome, but no wish either.
  let most = weights.get('identity') ?? 0
  for (const coding of Object.keys(PACKERS) as Coding[]) {
    const weight = weights.get(coding) ?? weights.get('*') ?? 0
    if (weight > most || (best === undefined && weight > 0 && weight === most)) [best, most] = [coding, weight]
  }
  return best
}

const WISH = /^([\w*-]+)(?:\s*;\s*q=(\d(?:\.\d{0,3})?))?$/

function weightsIn(header: string): Map<string, number> {
  const wishes = header.split(',').map(wish => WISH.exec(wish.trim()))
  return new Map(wishes.flatMap(wish => (wish ? [[wish[1]!, Number(wish[2] ?? 1)] as const] : [])))
}
