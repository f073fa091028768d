import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What happens to the bytes of an answer, its head included, beyond the first `after`. */
export interface Fault {
  after: number
  then: 'stall' | 'trickle' | 'reset'
}

/** A TCP proxy before a store, which can be slow as stores are. */
export interface StoreProxy {
  url: string
  /** connections that are open */
  open: Set<Socket>
  /** asked at each request, with its first line and how often that file was asked for since `asked` was cleared */
  fault: (line: string, times: number) => Fault | undefined
  /** requests so far, by the last part of their path */
  asked: Map<string, number>
  close(): Promise<void>
}

/** Ms between two bytes of an answer that trickles. */
const TRICKLE_MS = 300

export async function storeProxy(endpoint: string): Promise<StoreProxy> {
  const { hostname, port } = new URL(endpoint)
  const proxy: StoreProxy = { url: '', open: new Set(), fault: () => undefined, asked: new Map(), close }
  const tcp = createServer(client => {
    const store = connect(Number(port), hostname)
    const answer = new Answer(client, store)
    proxy.open.add(client)
    for (const [one, other] of [
      [client, store],
      [store, client]
    ] as const) {
      one.on('error', () => undefined).on('close', () => other.destroy())
    }
    client.on('close', () => proxy.open.delete(client))
    client.on('data', (chunk: Buffer) => {
      const line = /^GET [^\r]*/.exec(chunk.toString('latin1'))?.[0]
      if (line !== undefined) {
        const file = /([^/? ]+)(\?\S*)? HTTP/.exec(line)![1]!
        proxy.asked.set(file, (proxy.asked.get(file) ?? 0) + 1)
        answer.begin(proxy.fault(line, proxy.asked.get(file)!))
      }
      store.write(chunk)
    })
    store.on('data', (chunk: Buffer) => answer.pass(chunk))
  })
  async function close(): Promise<void> {
    for (const socket of proxy.open) socket.destroy()
    tcp.close()
    await once(tcp, 'close')
  }
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  proxy.url = `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`
  return proxy
}

/** One answer after the other on a connection. */
class Answer {
  readonly #client: Socket
  readonly #store: Socket
  #fault: Fault | undefined
  #passed = 0

  constructor(client: Socket, store: Socket) {
    this.#client = client
    this.#store = store
  }

  begin(fault: Fault | undefined): void {
    this.#fault = fault
    this.#passed = 0
  }

  pass(chunk: Buffer): void {
    const left = this.#fault ? this.#fault.after - this.#passed : Infinity
    this.#passed += chunk.length
    if (chunk.length <= left) return void this.#client.write(chunk)
    this.#client.write(chunk.subarray(0, left), () => this.#break(chunk.subarray(left)))
  }

  #break(rest: Buffer): void {
    this.#store.pause()
    if (this.#fault?.then === 'reset') this.#client.resetAndDestroy()
    if (this.#fault?.then !== 'trickle') return
    let at = 0
    const timer = setInterval(() => this.#client.write(rest.subarray(at, ++at)), TRICKLE_MS)
    this.#client.on('close', () => clearInterval(timer))
  }
}
