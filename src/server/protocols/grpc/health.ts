import type { sendUnaryData, ServerUnaryCall, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import { type Context, isReady } from '../../context.js'

/** Ms between two looks at the readiness while somebody watches it. */
const LOOK_MS = 100

type Health = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'
type Asked = { service: string }
type Told = { status: Health }
type Watcher = ServerWritableStream<Asked, Told>

/**
 * `grpc.health.v1`, by what `/readyz` says at the moment. `services` are the names that may be asked for, beside the empty one, which
 * stands for all.
 */
export class HealthService {
  readonly #context: Pick<Context, 'active' | 'drain'>
  readonly #services: ReadonlySet<string>
  readonly #watchers = new Map<Watcher, Health>()
  #looks: NodeJS.Timeout | undefined

  constructor(context: Pick<Context, 'active' | 'drain'>, services: readonly string[]) {
    this.#context = context
    this.#services = new Set(['', ...services])
  }

  get implementation(): UntypedServiceImplementation {
    return {
      Check: ({ request }: ServerUnaryCall<Asked, Told>, callback: sendUnaryData<Told>) => {
        const health = this.#of(request.service)
        if (health !== 'SERVICE_UNKNOWN') return callback(null, { status: health })
        const details = `there is no service of this name: ask for ${[...this.#services].filter(Boolean).join(', ')} or none`
        callback({ code: status.NOT_FOUND, details })
      },
      Watch: (watcher: Watcher) => this.#watch(watcher)
    }
  }

  /** Ends every watch, after what has changed last: a server does not stop before its streams have ended. */
  close(): void {
    this.#look()
    for (const watcher of this.#watchers.keys()) watcher.end()
  }

  #of(service: string): Health {
    if (!this.#services.has(service)) return 'SERVICE_UNKNOWN'
    return isReady(this.#context) ? 'SERVING' : 'NOT_SERVING'
  }

  #watch(watcher: Watcher): void {
    const health = this.#of(watcher.request.service)
    this.#watchers.set(watcher, health)
    watcher.write({ status: health })
    watcher.on('cancelled', () => this.#forget(watcher))
    this.#looks ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  #look(): void {
    for (const [watcher, told] of this.#watchers) {
      const health = this.#of(watcher.request.service)
      if (health === told) continue
      this.#watchers.set(watcher, health)
      watcher.write({ status: health })
    }
  }

  #forget(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    if (this.#watchers.size > 0) return
    clearInterval(this.#looks)
    this.#looks = undefined
  }
}
