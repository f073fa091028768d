import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net'
import { type ConnectionInjector, Server, ServerCredentials } from '@grpc/grpc-js'
import type { Config } from '../../../settings/config.js'
import type { Metrics } from '../../../metrics/metrics.js'
import { explained } from '../../http/listen.js'
import { mostBytes } from '../../predict/body-limit.js'
import { HealthService } from './health.js'
import { inferenceService } from './inference.js'
import { lateMessages } from './late-message.js'
import { readProto } from './read-proto.js'
import { reflection } from './reflection.js'
import type { Calls } from './unary.js'

/** Calls that one connection may have under way; a client keeps further ones back. */
const STREAMS = 100

/** Takes gRPC calls on a port of its own. */
export class GrpcServer {
  readonly #config: Config
  readonly #metrics: Pick<Metrics, 'connectionError'>
  readonly #server: Server
  readonly #health: HealthService
  readonly #injector: ConnectionInjector
  readonly #listener: Listener
  readonly #sockets = new Set<Socket>()

  constructor(calls: Calls) {
    const { config, metrics } = calls.context
    this.#config = config
    this.#metrics = metrics
    this.#server = new Server({ ...optionsOf(config), interceptors: [lateMessages(calls.context)] })
    const inference = readProto('inference', 'inference.GRPCInferenceService')
    const health = readProto('health', 'grpc.health.v1.Health')
    this.#health = new HealthService(calls.context, ['inference.GRPCInferenceService'])
    this.#server.addService(inference.service, inferenceService(calls))
    this.#server.addService(health.service, this.#health.implementation)
    for (const version of ['v1', 'v1alpha']) {
      const own = readProto(`reflection-${version}`, `grpc.reflection.${version}.ServerReflection`)
      this.#server.addService(own.service, reflection([inference, health, own]))
    }
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
    this.#listener = createServer(socket => this.#connected(socket))
  }

  /**
   * Listens on `GRPC_PORT` of the address of `HOST`, and returns where it does.
   * @throws CannotListen
   */
  async listen(): Promise<string> {
    const { HOST, GRPC_PORT } = this.#config
    try {
      const { address: host } = await lookup(HOST)
      this.#listener.listen({ host, port: GRPC_PORT })
      await once(this.#listener, 'listening')
    } catch (error) {
      throw explained(error, { host: 'HOST', port: 'GRPC_PORT' })
    }
    const { address, family, port } = this.#listener.address() as AddressInfo
    return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** Takes no further connection, sends GOAWAY on those that are there, and resolves when their calls have been answered. */
  async close(): Promise<void> {
    this.#listener.close()
    this.#health.close()
    await new Promise<void>(resolve => this.#server.tryShutdown(() => resolve()))
  }

  /** Cuts off what is still under way. */
  cut(): void {
    this.#server.forceShutdown()
    for (const socket of this.#sockets) socket.destroy()
  }

  #connected(socket: Socket): void {
    if (this.#sockets.size >= this.#config.MAX_CONNECTIONS) {
      this.#metrics.connectionError('too_many')
      return void socket.destroy()
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.setNoDelay(true)
    this.#injector.injectConnection(socket)
  }
}

function optionsOf(config: Config) {
  return {
    'grpc.max_receive_message_length': mostBytes(config),
    'grpc.max_concurrent_streams': STREAMS,
    // So that clients come to new replicas, and leave old ones alone.
    'grpc.max_connection_age_ms': config.GRPC_CONNECTION_AGE_MS,
    'grpc.max_connection_age_grace_ms': config.GRACE_MS,
    'grpc.max_connection_idle_ms': config.KEEP_ALIVE_MS,
    // A caller that has vanished without a word is missed after this time, and its calls are cancelled.
    'grpc.keepalive_time_ms': config.SOCKET_TIMEOUT_MS,
    'grpc.enable_channelz': 0
  }
}
