import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** Ms that a server may take, busy as it is. */
const TIMEOUT_MS = 30_000

/**
 * Asks for a text on a connection of its own that is closed afterwards: one that stayed would be counted among the users'.
 * @throws for anything but a 200
 */
export async function getText(url: string): Promise<string> {
  const request = get(url, { agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const body = await text(answer)
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
  return body
}
