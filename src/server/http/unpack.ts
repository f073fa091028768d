import { Readable } from 'node:stream'
import { errorCodes, type FastifyReply, type FastifyRequest, type RequestPayload } from 'fastify'
import { ServiceError } from '../../errors.js'
import type { Metrics } from '../../metrics/metrics.js'
import { CODINGS, TAKEN, type Unpack } from './codings.js'

/** Bodies that are unpacked at once, of all callers together: each may hold as many bytes as a route takes, and zlib's own. */
const AT_ONCE = 2

type Done = (error: Error | null, payload?: RequestPayload) => void
type Packed = (error: Error | null, bytes: Buffer) => void

/** What waits for its turn to be unpacked, and how many are. */
const waiting: (() => void)[] = []
let underWay = 0

/** Begins `work` as soon as it is its turn; `work` calls `next` when it has ended. */
function inTurn(work: (next: () => void) => void): void {
  const begin = () => {
    underWay++
    work(() => {
      underWay--
      waiting.shift()?.()
    })
  }
  if (underWay < AT_ONCE) begin()
  else waiting.push(begin)
}

/**
 * For a route's `preParsing`: unpacks a compressed body, up to the route's own limit of a body. The body is first received whole, packed,
 * and then unpacked in turn with others, so that no number of callers has more than a few unpacked but not yet read.
 */
export function unpacked(metrics: Pick<Metrics, 'refused'>) {
  return (request: FastifyRequest, reply: FastifyReply, payload: RequestPayload, done: Done): void => {
    const coding = request.headers['content-encoding']
    if (coding === undefined || coding === 'identity') return done(null, payload)
    const unpack = CODINGS.get(coding.toLowerCase())
    if (unpack === undefined) {
      metrics.refused('unsupported_media_type')
      void reply.header('accept-encoding', TAKEN)
      const text = `this content-encoding is not supported: send the body as it is, or as one of ${TAKEN}`
      return done(new ServiceError('unsupported_media_type', text))
    }
    receive(request, payload, (error, bytes) => {
      if (error) done(error)
      else inTurn(next => unpackBody({ request, unpack, bytes, next }, done))
    })
  }
}

/** Takes a body whole, as it is sent. */
function receive({ headers, routeOptions }: FastifyRequest, payload: RequestPayload, done: Packed): void {
  const { bodyLimit } = routeOptions
  if (Number(headers['content-length']) > bodyLimit) return done(tooLarge(), Buffer.alloc(0))
  const chunks: Buffer[] = []
  let length = 0
  const stop = (error: Error | null) => {
    payload.off('data', take).off('end', end).off('error', broken)
    done(error, Buffer.concat(error ? [] : chunks))
  }
  const take = (chunk: Buffer) => {
    length += chunk.length
    chunks.push(chunk)
    if (length > bodyLimit) stop(tooLarge())
  }
  const end = () => stop(null)
  const broken = () => stop(new ServiceError('bad_request', 'the body was not sent whole'))
  payload.on('data', take).on('end', end).on('error', broken)
}

interface Work {
  request: FastifyRequest
  unpack: Unpack
  bytes: Buffer
  next: () => void
}

function unpackBody({ request, unpack, bytes, next }: Work, done: Done): void {
  const { socket } = request.raw
  // Who has hung up has been counted, and nothing more may begin for it.
  if (socket.destroyed) return void setImmediate(next)
  unpack(bytes, request.routeOptions.bodyLimit, (error, result) => {
    next()
    if (socket.destroyed) return
    if (error?.code === 'ERR_BUFFER_TOO_LARGE') done(tooLarge())
    // Bytes behind the end would be lost without a word.
    else if (error || result.engine.bytesWritten !== bytes.length) done(notPacked())
    else done(null, Object.assign(Readable.from(result.buffer), { receivedEncodedLength: bytes.length }))
  })
}

/** As Fastify has it of a body that is too large as it is sent: the same words follow. */
function tooLarge(): Error {
  return new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
}

function notPacked(): ServiceError {
  return new ServiceError('bad_request', 'the body cannot be unpacked as its content-encoding says')
}
