import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A server in front of a store, which passes everything on as it came, or answers in the store's place. */
export interface HttpFront {
  url: string
  /** where requests go */
  target: string
  /** answers instead of the store, or never */
  instead: ((response: ServerResponse) => void) | undefined
  /** what the path of a request must hold for that */
  only: string
}

/** Answers that begin well and break off. */
export function breakOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '600000' }).write('half')
  response.socket!.end()
}

/** Starts one, which ends with the test. The Host header stays: S3's signatures hold it. */
export async function httpFront(t: Test, target: string): Promise<HttpFront> {
  const front: HttpFront = { url: '', target, instead: undefined, only: '' }
  const server = createServer((incoming, response) => {
    if (front.instead && incoming.url!.includes(front.only)) return front.instead(response)
    const { hostname, port } = new URL(front.target)
    const { method, url: path, headers } = incoming
    const onward = request({ hostname, port, method, path, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return front
}
