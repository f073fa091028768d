import { EventEmitter, once } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import packageJson from '../package.json' with { type: 'json' }
import { createMetrics, type Gauges, type Metrics } from './metrics/metrics.js'
import type { BatchFailure } from './model/inference/worker/messages.js'
import type { ActiveModel } from './model/promotion/active-model.js'
import { type FollowerOptions, ModelFollower } from './model/promotion/follower.js'
import { Hearing, listenForPromotions } from './model/promotion/kafka-events.js'
import { poolOptionsOf, sandboxLimitsOf } from './model/promotion/limits.js'
import type { Step, Trigger } from './model/promotion/steps.js'
import { readLocalBundle } from './model/bundle/files.js'
import { cacheOf, shadowSourceOf, sourceOf } from './model/registry/sources.js'
import { Shadow } from './model/shadow/shadow.js'
import type { App } from './server/app.js'
import { type Context, isReady } from './server/context.js'
import { ApiKeys } from './server/edge/api-keys.js'
import { listen } from './server/http/listen.js'
import { largestTable } from './server/predict/body-limit.js'
import type { Config } from './settings/config.js'

/** Ms from a start with a model to the first poll: the client of a store takes the main thread's time to load. */
const FIRST_POLL_MS = 1000

/** The service, put together: the model that serves, perhaps a shadow, and the routes. */
export interface Service {
  /** `draining` is set once the process has been asked to stop: `/readyz` then says no */
  readonly drain: { draining: boolean }
  /**
   * Takes the first model live, where one can be had without a store, and puts the routes together; nobody is listened to. To be
   * called once. Rejects with `BadKeyFile`, with `ModelRefused` for the bundle in `MODEL_DIR`, and with `CacheUnusable`.
   */
  prepare(): Promise<App>
  /** Follows what is promoted, and takes requests. After `prepare`, with what it gave. Rejects with `CannotListen`. */
  listen(app: App): Promise<void>
  /** Ends the rollouts, and each model after its last row. The routes are closed before, by `app.close()`. */
  close(): Promise<void>
  /** Takes the keys of callers as `API_KEYS_FILE` has them now, and says in the log what came of it. */
  rereadKeys(): void
}

/** Wires the live model, the shadow, metrics and log as the settings say. Reads no environment, and starts nothing. */
export function createService(config: Config, logger: FastifyBaseLogger): Service {
  return new WiredService(config, logger)
}

class WiredService implements Service {
  readonly drain = { draining: false }
  readonly #config: Config
  readonly #logger: FastifyBaseLogger
  readonly #metrics: Metrics
  readonly #live: ModelFollower
  readonly #shadow: Shadow | undefined
  readonly #steps = new EventEmitter<Record<Step, []>>()
  readonly #events = new AbortController()
  readonly #hearing = new Hearing()
  #listening: Promise<void> | undefined
  #keys: ApiKeys | undefined

  constructor(config: Config, logger: FastifyBaseLogger) {
    this.#config = config
    this.#logger = logger
    this.#metrics = createMetrics(this.#gauges())
    this.#live = this.#createLive()
    this.#shadow = config.SHADOW_ALIAS === '' ? undefined : this.#createShadow(config.SHADOW_ALIAS)
  }

  async prepare(): Promise<App> {
    const { API_KEYS_FILE } = this.#config
    if (API_KEYS_FILE !== '') this.#keys = new ApiKeys(API_KEYS_FILE)
    // The workers load the model while the main thread loads the web framework and puts the routes together: but not before they
    // have been started, for it is a long piece of work in one go.
    const inspected = once(this.#steps, 'inspect' satisfies Step)
    const first = this.#firstModel()
    first.catch(() => undefined)
    await Promise.race([first, inspected])
    const { buildApp } = await import('./server/app.js')
    const app = await buildApp({ ...this.#context, logger: this.#logger, version: packageJson.version })
    await first
    return app
  }

  async listen(app: App): Promise<void> {
    const config = this.#config
    this.#live.start()
    this.#shadow?.start()
    if (config.KAFKA_BROKERS !== '') this.#hearPromotions()
    await listen(app, config)
    // A store that is down keeps the replica not ready, not from starting. Where a model serves, its first callers come first.
    const wait = this.#live.active.serving ? FIRST_POLL_MS : 0
    if (config.MODEL_SOURCE !== 'local') setTimeout(() => void this.#trigger('poll'), wait).unref()
    // Once in the main thread too: the native library must not be unloaded with the last worker of an old model.
    await import('./model/inference/worker/onnx-session.js')
  }

  async close(): Promise<void> {
    this.#events.abort()
    await Promise.all([this.#live.close(), this.#shadow?.close(), this.#listening])
  }

  rereadKeys(): void {
    const keys = this.#keys
    try {
      keys?.reread()
      this.#logger.info({ keys: keys?.count }, 'API_KEYS_FILE was read again')
    } catch (error) {
      this.#logger.error({ reason: (error as Error).message }, 'API_KEYS_FILE is bad: the keys stay what they were')
    }
  }

  get #context(): Context {
    const { active, reconciler } = this.#live
    const { drain } = this
    const eventsHeard = () => this.#eventsHeard
    return {
      config: this.#config,
      metrics: this.#metrics,
      active,
      reconciler,
      shadow: this.#shadow,
      drain,
      eventsHeard,
      keys: this.#keys
    }
  }

  /** Undefined without Kafka. */
  get #eventsHeard(): boolean | undefined {
    return this.#config.KAFKA_BROKERS === '' ? undefined : this.#hearing.isGood
  }

  #gauges(): Gauges {
    const pool = () => this.#live.active.serving?.pool
    return {
      queued: () => pool()?.backlog.queued ?? 0,
      steps: () => pool()?.backlog.steps ?? 0,
      rate: () => pool()?.backlog.rowsPerSecond ?? 0,
      taken: () => pool()?.taken ?? 0,
      ready: () => isReady({ active: this.#live.active, drain: this.drain }),
      stale: () => this.#live.reconciler.state.stale,
      registryUp: () => this.#live.reconciler.state.registry_up,
      eventsHeard: () => this.#eventsHeard,
      model: () => infoOf(this.#live.active),
      shadow: () => this.#shadow && infoOf(this.#shadow.active)
    }
  }

  /** What the live model and the shadow have in common. */
  #followed(): Pick<FollowerOptions, 'pool' | 'maxRows' | 'sandbox' | 'resolveTimeoutMs' | 'pollMs'> {
    const config = this.#config
    return {
      pool: poolOptionsOf(config),
      maxRows: config.MAX_ROWS,
      sandbox: sandboxLimitsOf(config),
      resolveTimeoutMs: config.RESOLVE_TIMEOUT_MS,
      pollMs: config.POLL_INTERVAL_MS
    }
  }

  #createLive(): ModelFollower {
    const config = this.#config
    const metrics = this.#metrics
    const live = {
      ...this.#followed(),
      source: sourceOf(config),
      kind: config.MODEL_SOURCE,
      cache: cacheOf(config, message => this.#logger.warn(message)),
      embedded: () => readLocalBundle(config.MODEL_DIR),
      onTrigger: metrics.promotionTrigger
    }
    return new ModelFollower(live, {
      ...metrics,
      ...this.#logged(metrics, 'model'),
      step: (step, seconds) => {
        metrics.step(step, seconds)
        this.#steps.emit(step)
      },
      promotion: (outcome, seconds) => {
        metrics.promotion(outcome, seconds)
        this.#logger.info({ ...this.#live.active.lastPromotion, seconds }, 'promotion')
        if (outcome === 'live') this.#warnOfSmallLimit()
      }
    })
  }

  #createShadow(alias: string): Shadow {
    const config = this.#config
    const metrics = this.#metrics.shadow
    const follow = { ...this.#followed(), source: shadowSourceOf(config) }
    return new Shadow(
      { live: this.#live.active, alias, share: config.SHADOW_SHARE, follow },
      {
        ...metrics,
        ...this.#logged(metrics, 'shadow'),
        step: () => undefined,
        rowExpired: () => undefined,
        rowCancelled: () => undefined,
        promotion: outcome => {
          metrics.promotion(outcome)
          this.#logger.info({ ...this.#shadow?.active.lastPromotion }, 'shadow')
        }
      }
    )
  }

  /** What of a model's workers is told by the log, the same for each model. */
  #logged(metrics: Pick<Metrics, 'workerDied'>, model: 'model' | 'shadow') {
    return {
      workerDied: (reason: string) => {
        metrics.workerDied()
        this.#logger.error({ model, reason }, 'a worker died')
      },
      batchFailed: ({ rows, cause, batches }: BatchFailure) =>
        this.#logger.warn({ model, rows, cause, batches }, 'a batch could not be run whole')
    }
  }

  /** What served before the restart, or the bundle that came with the code. */
  async #firstModel(): Promise<void> {
    const { MODEL_SOURCE, MODEL_FALLBACK } = this.#config
    if (await this.#live.reconciler.resume()) return
    if (MODEL_SOURCE === 'local' || MODEL_FALLBACK) await this.#live.rollout.run()
  }

  /** The live model first: a shadow is compared with it. */
  async #trigger(from: Trigger): Promise<void> {
    await this.#live.trigger(from)
    await this.#shadow?.trigger(from)
  }

  /** Events come once there is a model that they may replace. */
  #hearPromotions(): void {
    const { KAFKA_BROKERS, KAFKA_TOPIC: topic } = this.#config
    const options = {
      brokers: KAFKA_BROKERS.split(','),
      topic,
      heard: () => void this.#trigger('kafka'),
      fetched: () => this.#hearing.fetched(),
      failed: (reason: string) => {
        this.#hearing.failed()
        this.#logger.warn({ reason }, 'promotion events cannot be heard')
      },
      joined: () => this.#logger.info('promotion events are heard')
    }
    this.#listening = listenForPromotions(options, this.#events.signal)
  }

  /** A body limit below the largest table is one to start with: tables of short numbers fit. */
  #warnOfSmallLimit(): void {
    const { MAX_ROWS, BODY_LIMIT_BYTES } = this.#config
    const manifest = this.#live.active.serving?.pool.bundle.manifest
    const bytes = manifest ? largestTable(manifest, MAX_ROWS) : 0
    if (bytes <= BODY_LIMIT_BYTES) return
    const text = 'a table of MAX_ROWS rows may be larger than BODY_LIMIT_BYTES'
    this.#logger.warn({ MAX_ROWS, BODY_LIMIT_BYTES, bytes }, text)
  }
}

/** What tells the model in this place from others. */
function infoOf({ serving }: ActiveModel): ReturnType<Gauges['model']> {
  const manifest = serving?.pool.bundle.manifest
  return (
    manifest && { name: manifest.name, version: manifest.version, run_id: manifest.run_id, digest: manifest.sha256 }
  )
}
