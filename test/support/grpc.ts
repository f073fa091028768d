import {
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  status
} from '@grpc/grpc-js'
import type { Test } from 'tap'
import { readProto } from '../../src/server/protocols/grpc/read-proto.js'
import { type Service, type ServiceOptions, startService } from './service.js'

/** A service that takes gRPC calls, and where. */
export interface GrpcService extends Service {
  grpc: string
}

/** Starts the service with gRPC on a free port; it ends with the test. */
export async function startGrpc(t: Test, options: ServiceOptions = {}): Promise<GrpcService> {
  const service = await startService({ ...options, env: { GRPC_PORT: '0', ...options.env } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const [, grpc] = /answered at ([\w.:]+)/.exec(await service.line('gRPC calls are answered'))!
  return Object.assign(service, { grpc: grpc! })
}

/** How a call ended: its answer, or gRPC's name of the status with the details. */
interface Ended<Answer = Record<string, unknown>> {
  status: keyof typeof status
  details: string
  answer: Answer
  trailers: Record<string, unknown>
}

export interface CallOptions {
  /** ms from now */
  deadlineMs?: number
  metadata?: Record<string, string>
}

const SERVICES: Record<'inference' | 'health', ServiceDefinition> = {
  inference: readProto('inference', 'inference.GRPCInferenceService').service,
  health: readProto('health', 'grpc.health.v1.Health').service
}

/** A connection to the service; it ends with the test. */
export class GrpcCaller {
  readonly client: Client

  constructor(t: Test, address: string, options: ChannelOptions = {}, own = credentials.createInsecure()) {
    this.client = new Client(address, own, options)
    t.teardown(() => this.client.close())
  }

  /** Makes a call of one answer, and never rejects. */
  call<Answer = Record<string, unknown>>(method: string, request: object, options: CallOptions = {}) {
    return this.begin<Answer>(method, request, options).ended
  }

  /** As `call`, and a way to cancel it. */
  begin<Answer>(name: string, request: object, { deadlineMs, metadata = {} }: CallOptions = {}) {
    const [of, short] = name.includes('.') ? (name.split('.') as ['health', string]) : (['inference', name] as const)
    const method = SERVICES[of][short]!
    const given = new Metadata()
    for (const [key, value] of Object.entries(metadata)) given.set(key, value)
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
    let cancel = () => {}
    const ended = new Promise<Ended<Answer>>(resolve => {
      let end: { error: ServiceError | null; answer: Answer | undefined }
      const call = this.client.makeUnaryRequest(
        ...([method.path, method.requestSerialize, method.responseDeserialize, request, given, options] as const),
        (error: ServiceError | null, answer?: unknown) => (end = { error, answer: answer as Answer | undefined })
      )
      // After the callback: so the trailers are there, which an answer does not have.
      call.on('status', ({ code, details, metadata }) =>
        setImmediate(() =>
          resolve({
            status: status[code] as keyof typeof status,
            details,
            answer: end.answer as Answer,
            trailers: metadata.getMap()
          })
        )
      )
      cancel = () => call.cancel()
    })
    return { ended, cancel }
  }
}
