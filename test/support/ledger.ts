import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** What the caller knows of one request, from before it was sent to its final answer. */
export interface Entry {
  id: string
  /** ms on the test's clock */
  sent: number
  /** 0 until there is a final answer: such a request is lost */
  status: number
  headers: IncomingHttpHeaders
  /** the answer as it came, and parsed where it is JSON */
  text: string
  json: Answer | undefined
  /** ms from sending to the last byte */
  t: number
  /** rows that the model ran for a 200 */
  steps: number
  /** whether a 200 has other values than the caller expected, or another caller's id */
  wrong: boolean
}

export interface Answer {
  error?: { code: string; message: string; path?: string; retryable: boolean }
  req_id?: string
  predictions?: ({ ts: string; value: number } & Record<string, number | string>)[]
  warnings?: string[]
  [field: string]: unknown
}

export interface Sending {
  method?: string
  path?: string
  headers?: Record<string, string>
  /** whether the predictions are the right ones */
  right?: (predictions: NonNullable<Answer['predictions']>) => boolean
}

/** Ms after which a request without an answer is given up as lost. */
const LOST_MS = 30_000

/** A caller who keeps account: whatever was sent is answered once, rightly, or stands in the book as lost or wrong. */
export class Ledger {
  readonly entries: Entry[] = []
  readonly #url: URL
  readonly #agent: Agent

  constructor(url: string, agent = new Agent({ keepAlive: true })) {
    this.#url = new URL(url)
    this.#agent = agent
  }

  /** Sends a body, JSON unless it is text or bytes already, and resolves to its entry, answered or lost. */
  send(body: unknown, sending: Sending = {}): Promise<Entry> {
    const { method = 'POST', path = '/predict', headers = {}, right } = sending
    const entry = this.#open(body)
    const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    const { hostname, port } = this.#url
    return new Promise(resolve => {
      const sent = request({
        hostname,
        port,
        method,
        path,
        agent: this.#agent,
        timeout: LOST_MS,
        headers: { ...length(bytes), 'x-request-id': entry.id, 'content-type': 'application/json', ...headers }
      })
      sent.on('timeout', () => sent.destroy()).on('error', () => resolve(entry))
      sent.on('response', answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => resolve(entry))
        answer.on('end', () => {
          const { statusCode: status = 0, headers } = answer
          close(entry, { status, headers, text: Buffer.concat(chunks).toString() }, right)
          resolve(entry)
        })
      })
      sent.end(bytes)
    })
  }

  /** A request that only asks. */
  get(path: string, headers: Record<string, string> = {}): Promise<Entry> {
    return this.send('', { method: 'GET', path, headers })
  }

  /** Books an answer that came over a raw socket, headers and all. */
  book(status: number, text = ''): void {
    const body = text.slice(text.indexOf('\r\n\r\n') + 4)
    const json = body.startsWith('{') ? (JSON.parse(body) as Answer) : undefined
    Object.assign(this.#open(undefined), { status, text, json })
  }

  #open(body: unknown): Entry {
    const steps = (body as { inference_length?: number } | undefined)?.inference_length ?? 1
    const id = `ledger-${this.entries.length}`
    const open = { status: 0, headers: {}, text: '', json: undefined, t: 0, wrong: false }
    const entry: Entry = { id, sent: performance.now(), steps, ...open }
    this.entries.push(entry)
    return entry
  }

  get lost(): Entry[] {
    return this.entries.filter(entry => entry.status === 0)
  }

  get wrong(): Entry[] {
    return this.entries.filter(entry => entry.wrong)
  }

  /** Answers by status. */
  get statuses(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { status } of this.entries) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  /** Answers with an error's code. */
  count(code: string): number {
    return this.entries.filter(({ json }) => json?.error?.code === code).length
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Node states no length, and no chunks either, for the body of a method that has none as a rule. */
function length(bytes: string | Uint8Array): Record<string, string> {
  return bytes.length === 0 ? {} : { 'content-length': String(Buffer.byteLength(bytes)) }
}

function close(entry: Entry, answer: Pick<Entry, 'status' | 'headers' | 'text'>, right: Sending['right']): void {
  const { status, headers, text } = answer
  const isJson = text !== '' && String(headers['content-type']).startsWith('application/json')
  const json = isJson ? (JSON.parse(text) as Answer) : undefined
  const predictions = json?.predictions
  const mine = !predictions || (json.req_id === entry.id && headers['x-request-id'] === entry.id)
  const wrong = !mine || (status === 200 && predictions !== undefined && right?.(predictions) === false)
  Object.assign(entry, answer, { json, wrong, t: performance.now() - entry.sent })
}
