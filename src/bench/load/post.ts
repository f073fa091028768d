import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { BenchError, reasonOf } from '../errors.js'
import type { CallAnswer, CallRequest } from './calls/protocol.js'

/** Ms that a single request, alone, may take. */
const TIMEOUT_MS = 10_000
/** Characters of a refusal that are shown. */
const SHOWN = 200

/**
 * Posts one request on a connection of its own, which would otherwise be counted among the users' connections. Resolves to an answer
 * with status 200.
 * @param what names the request in errors
 * @throws BenchError `target_down` without an answer, `bad_flag` for an answer with another status
 */
export async function post(url: string, call: CallRequest, what: string): Promise<CallAnswer> {
  const [status, answer] = await send(url, call).catch(cause => {
    throw new BenchError('target_down', `no answer from ${url} to ${what}: ${reasonOf(cause)}`, { cause })
  })
  if (status === 200) return answer
  throw new BenchError('bad_flag', `${url} refuses ${what} with ${status}: ${answer.body.toString().slice(0, SHOWN)}`)
}

async function send(url: string, { body, headers }: CallRequest): Promise<[status: number, answer: CallAnswer]> {
  const sent = request(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS)
  })
  // A server that refuses a body may close before all of it has come: what counts is the answer.
  sent.on('error', () => undefined)
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return [answer.statusCode!, { headers: answer.rawHeaders, body: await buffer(answer) }]
}
