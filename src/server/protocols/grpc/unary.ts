import { type handleUnaryCall, Metadata, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import type { FastifyBaseLogger } from 'fastify'
import { monotonicMs } from '../../../clock.js'
import { ServiceError } from '../../../errors.js'
import type { RouteStats } from '../../../metrics/metrics.js'
import type { Context } from '../../context.js'
import type { ApiKeys } from '../../edge/api-keys.js'
import { keyIn, unknownKey } from '../../edge/callers.js'
import { logIfInternal } from '../../error-body.js'
import { HUNG_UP } from '../../http/open-requests.js'
import { logRequest } from '../../request-lifecycle.js'
import { statusOf } from './status.js'

/** Header and trailer with the name of a call. */
const ID = 'x-request-id'
/** What supervisors and clients ask before they have a key. */
const KEYLESS: ReadonlySet<string> = new Set(['ServerLive', 'ServerReady', 'ModelReady'])
const OK = 200
const OUT_OF_TIME = 504

/** What every call works with. */
export interface Calls {
  context: Context
  logger: FastifyBaseLogger
  /** of the service */
  version: string
  /** what a call is named, from what its caller names it */
  nameOf(given: string | undefined): string
}

/** Where a call's answer goes. Exactly one of `answered` and `failed` is to be called; after the caller has gone they do nothing. */
export interface Answer<Response> {
  /** monotonic ms at which the call had been read */
  readonly began: number
  /** ms from `began` to the deadline that the caller has set; Infinity without one */
  readonly patienceMs: number
  /** stops the work that goes on for this call; called when its caller has gone or its deadline has passed */
  cancel: (() => void) | undefined
  answered(response: Response): void
  failed(error: ServiceError): void
}

/**
 * A call of one request and one answer: counted under `grpc NAME` by the HTTP status that the same end has elsewhere, perhaps logged, and
 * named by its caller's `x-request-id` or by us. What `work` throws is the call's error.
 */
export function unary<Request, Response>(
  name: string,
  calls: Calls,
  work: (request: Request, answer: Answer<Response>) => void
): handleUnaryCall<Request, Response> {
  const counted = { ...calls, route: `grpc ${name}`, stats: calls.context.metrics.route(`grpc ${name}`) }
  return (call, callback) => {
    const { keys } = calls.context
    const caller = keys && callerOf(keys, call.metadata)
    const answer = new OpenCall(counted, { call, caller }, callback)
    if (keys && caller === undefined && !KEYLESS.has(name)) return answer.failed(unknownKey())
    try {
      work(call.request, answer)
    } catch (error) {
      answer.failed(known(error))
    }
  }
}

/** Whose key is in the metadata, where a REST request has it in its headers. */
function callerOf(keys: ApiKeys, metadata: Metadata): string | undefined {
  const first = (name: string) => metadata.get(name)[0]?.toString()
  return keys.nameOf(keyIn(first('x-api-key'), first('authorization')))
}

function known(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  return new ServiceError('internal', 'internal error', undefined, { cause: error })
}

class OpenCall<Response> implements Answer<Response> {
  readonly began = monotonicMs()
  readonly patienceMs: number
  cancel: (() => void) | undefined
  readonly #calls: Calls & { route: string; stats: RouteStats }
  readonly #callback: sendUnaryData<Response>
  readonly #id: string
  /** the name that goes with the caller's key, where keys are asked for */
  readonly #caller: string | undefined
  #isOver = false

  constructor(
    calls: Calls & { route: string; stats: RouteStats },
    { call, caller }: { call: ServerUnaryCall<unknown, Response>; caller: string | undefined },
    callback: sendUnaryData<Response>
  ) {
    this.#calls = calls
    this.#callback = callback
    this.#caller = caller
    this.#id = calls.nameOf(call.metadata.get(ID)[0]?.toString())
    const deadline = call.getDeadline()
    this.patienceMs = deadline === Infinity ? Infinity : Number(deadline) - Date.now()
    // The library tells of every end in this way.
    call.on('cancelled', () => this.#left())
  }

  answered(response: Response): void {
    if (this.#isOver) return
    this.#callback(null, response, this.#named(new Metadata()))
    this.#end(OK)
  }

  failed(error: ServiceError): void {
    if (this.#isOver) return
    logIfInternal(this.#calls.logger, this.#id, error)
    const status = statusOf(error)
    this.#named(status.metadata)
    this.#callback(status)
    this.#end(error.statusCode)
  }

  /** The caller has gone, or its deadline has passed and the library has told it so. */
  #left(): void {
    if (this.#isOver) return
    this.cancel?.()
    this.#end(monotonicMs() - this.began >= this.patienceMs ? OUT_OF_TIME : HUNG_UP)
  }

  #named(metadata: Metadata): Metadata {
    metadata.set(ID, this.#id)
    return metadata
  }

  #end(status: number): void {
    this.#isOver = true
    const { stats, route, context, logger } = this.#calls
    const ms = monotonicMs() - this.began
    stats.ended(status, ms / 1000)
    if (!context.config.LOG_REQUESTS) return
    logRequest(logger, { reqId: this.#id, method: 'POST', route, status, ms, caller: this.#caller })
  }
}
