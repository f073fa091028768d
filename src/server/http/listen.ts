import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../settings/config.js'
import type { App } from '../app.js'

const NO_ADDRESS = ['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']

/** An address that cannot be listened on; the message is one line and names the setting. */
export class CannotListen extends Error {}

/** Names the setting because of which it cannot be listened; other errors stay as they are. */
export function explained(error: unknown, { host, port }: Record<'host' | 'port', string>): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'EADDRINUSE' || code === 'EACCES') return new CannotListen(`${port} cannot be listened on (${code})`)
  if (NO_ADDRESS.includes(code)) return new CannotListen(`${host} is no address of this host (${code})`)
  return error
}

/**
 * Listens on `ADMIN_PORT` and `GRPC_PORT`, where they are set, and then on `PORT`: callers come when nothing can stop the start any more.
 * @throws CannotListen
 */
export async function listen({ app, operators, grpc }: App, config: Config): Promise<void> {
  const { HOST, PORT, ADMIN_HOST, ADMIN_PORT } = config
  if (operators) {
    await app.ready()
    const names = { host: ADMIN_HOST === '' ? 'HOST' : 'ADMIN_HOST', port: 'ADMIN_PORT' }
    const url = await open(operators, ADMIN_HOST || HOST, ADMIN_PORT).catch(error => {
      throw explained(error, names)
    })
    app.log.info(`Operators are answered at ${url}`)
  }
  if (grpc) app.log.info(`gRPC calls are answered at ${await grpc.listen()}`)
  try {
    // By name Fastify would open a second server for another address of `localhost`, which no bound and no drain of ours knows of.
    const { address } = await lookup(HOST)
    await app.listen({ host: address, port: PORT })
  } catch (error) {
    throw explained(error, { host: 'HOST', port: 'PORT' })
  }
}

async function open(server: Server, name: string, port: number): Promise<string> {
  const { address: host } = await lookup(name)
  server.listen({ host, port })
  await once(server, 'listening')
  const { address, family, port: taken } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
}
