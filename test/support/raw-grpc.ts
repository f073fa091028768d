import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { once } from 'node:events'
import type { Test } from 'tap'

/** A connection that speaks HTTP/2 as no gRPC library would; it ends with the test. */
export function openHttp2(t: Test, address: string): ClientHttp2Session {
  const session = connect(`http://${address}`)
  session.on('error', () => undefined)
  t.teardown(() => session.destroy())
  return session
}

/** Opens a call with whatever headers, and sends nothing yet. */
export function openCall(session: ClientHttp2Session, method: string, headers: Record<string, string> = {}) {
  const path = `/inference.GRPCInferenceService/${method}`
  const usual = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
  const stream = session.request({ ...usual, ...headers })
  stream.on('error', () => undefined)
  return stream
}

/** A message in gRPC's frame: whether it is compressed, its length, its bytes. */
export function framed(message: Buffer, { compressed = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(compressed, 0)
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}

/** gRPC's status, as a number, or how else the stream ended. */
export async function statusOf(stream: ClientHttp2Stream): Promise<number | string> {
  let status: string | undefined
  const look = (headers: { 'grpc-status'?: string }) => (status ??= headers['grpc-status'])
  stream.on('response', look).on('trailers', look).resume()
  await once(stream, 'close')
  return status === undefined ? `reset ${stream.rstCode}` : Number(status)
}
