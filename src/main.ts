import { EventEmitter, once } from 'node:events'
import packageJson from '../package.json' with { type: 'json' }
import { type Config, ConfigError, loadConfig, quietLibraries, settled } from './settings/config.js'
import { emptyFolder } from './host/empty-folder.js'
import { ModelRefused } from './errors.js'
import { createMetrics } from './metrics/metrics.js'
import { ActiveModel } from './model/promotion/active-model.js'
import { Converger } from './model/promotion/reconciler.js'
import { poolOptionsOf, sandboxLimitsOf } from './model/promotion/limits.js'
import { listenForHints } from './model/promotion/kafka-events.js'
import { obtain } from './model/registry/fetch-bundle.js'
import { tryInSandbox } from './model/promotion/sandbox.js'
import type { Hint, Step } from './model/promotion/steps.js'
import { Watch } from './model/promotion/poller.js'
import { Rollout } from './model/promotion/rollout.js'
import type { BundleFiles } from './model/bundle/bundle.js'
import { Shadow } from './model/shadow/shadow.js'
import type { Pointer } from './model/registry/source.js'
import type { BatchFailure } from './model/inference/worker/messages.js'
import { CacheUnusable } from './model/registry/cache.js'
import { readLocalBundle } from './model/registry/local.js'
import { cacheOf, shadowSourceOf, sourceOf } from './model/registry/sources.js'
import type { App } from './server/app.js'
import { largestTable } from './server/predict/body-limit.js'
import { isReady } from './server/context.js'
import { CannotListen, listen } from './server/http/listen.js'
import { openLog } from './host/log.js'
import { handleSignals } from './signals.js'

/** Ends a start that cannot succeed, in one line. */
function refuseStart(message: string): never {
  process.stderr.write(`gru-inference: ${message}\n`)
  process.exit(1)
}

function readConfig(): Config {
  try {
    return settled(loadConfig())
  } catch (error) {
    if (error instanceof ConfigError) refuseStart(error.message)
    throw error
  }
}

/** Ms from a start with a model to the first look: the client of a store takes the main thread's time to load. */
const FIRST_LOOK_MS = 1000

/** What cannot be started with, as one line that names the setting. */
function explain(error: unknown): string | undefined {
  if (error instanceof ModelRefused) return `MODEL_DIR holds no model that may serve: ${error.reason}: ${error.message}`
  if (error instanceof CacheUnusable) return `CACHE_DIR ${error.message}`
  return error instanceof CannotListen ? error.message : undefined
}

/** What tells the model in this place from others. */
function infoOf({ serving }: ActiveModel) {
  const manifest = serving?.pool.bundle.manifest
  return (
    manifest && { name: manifest.name, version: manifest.version, run_id: manifest.run_id, digest: manifest.sha256 }
  )
}

/** A body limit below the largest table is one to start with: tables of short numbers fit. */
function warnOfSmallLimit(): void {
  const { MAX_ROWS, BODY_LIMIT_BYTES } = config
  const manifest = active.serving?.pool.bundle.manifest
  const bytes = manifest ? largestTable(manifest, MAX_ROWS) : 0
  if (bytes > BODY_LIMIT_BYTES) {
    logger.warn({ MAX_ROWS, BODY_LIMIT_BYTES, bytes }, 'a table of MAX_ROWS rows may be larger than BODY_LIMIT_BYTES')
  }
}

const config = readConfig()
quietLibraries()
const log = openLog(config.LOG_LEVEL)
const { logger } = log
try {
  // Workers are in the folder of the process.
  process.chdir(emptyFolder())
} catch (error) {
  const reason = (error as NodeJS.ErrnoException).code
  logger.warn({ reason }, 'no empty folder can be made in TMPDIR: models are loaded in the folder of the start')
}
const drain = { draining: false }
const active = new ActiveModel()
const metrics = createMetrics({
  queued: () => active.serving?.pool.backlog.queued ?? 0,
  steps: () => active.serving?.pool.backlog.steps ?? 0,
  rate: () => active.serving?.pool.backlog.rowsPerSecond ?? 0,
  taken: () => active.serving?.pool.taken ?? 0,
  ready: () => isReady({ active, drain }),
  stale: () => converger.state.stale,
  registryUp: () => converger.state.registry_up,
  model: () => infoOf(active),
  shadow: () => shadow && infoOf(shadow.active)
})
const steps = new EventEmitter()
const observer = {
  ...metrics,
  step(step: Step, seconds: number) {
    metrics.step(step, seconds)
    steps.emit(step)
  },
  workerDied(reason: string) {
    metrics.workerDied()
    logger.error({ reason }, 'a worker died')
  },
  batchFailed: ({ rows, cause, batches }: BatchFailure) =>
    logger.warn({ rows, cause, batches }, 'a batch could not be run whole'),
  promotion(outcome: Parameters<typeof metrics.promotion>[0], seconds: number) {
    metrics.promotion(outcome, seconds)
    logger.info({ ...active.lastPromotion, seconds }, 'promotion')
    if (outcome === 'live') warnOfSmallLimit()
  }
}
const pool = poolOptionsOf(config)
const limits = sandboxLimitsOf(config)
const source = sourceOf(config)
const cache = cacheOf(config, message => logger.warn(message))
const fetch = () => readLocalBundle(config.MODEL_DIR)
const rollout = new Rollout(active, { fetch, pool, maxRows: config.MAX_ROWS }, observer)
const converger = new Converger(active, rollout, {
  source,
  kind: config.MODEL_SOURCE,
  cache,
  obtain: (pointer, signal) => obtain({ source, cache }, pointer, signal),
  sandbox: (files, signal) => tryInSandbox(files, limits, signal),
  resolveTimeoutMs: config.RESOLVE_TIMEOUT_MS,
  onHint: metrics.hint
})
const watch = new Watch(converger, config.POLL_INTERVAL_MS)
const shadow = config.SHADOW_ALIAS === '' ? undefined : createShadow()
const listening = new AbortController()

/** The promoted one first: it is what a shadow is measured by. */
async function hint(from: Hint): Promise<void> {
  await watch.hint(from)
  await shadow?.hint(from)
}

/** A second version for comparison, of which the log and its own metrics tell. */
function createShadow(): Shadow {
  const source = shadowSourceOf(config)
  const observer = {
    ...metrics.shadow,
    step: () => undefined,
    rowExpired: () => undefined,
    rowCancelled: () => undefined,
    workerDied(reason: string) {
      metrics.shadow.workerDied()
      logger.warn({ reason }, 'the worker of the shadow died')
    },
    batchFailed: ({ rows, cause, batches }: BatchFailure) =>
      logger.warn({ rows, cause, batches }, 'a batch could not be run whole by the shadow'),
    promotion(outcome: Parameters<typeof metrics.shadow.promotion>[0]) {
      metrics.shadow.promotion(outcome)
      logger.info({ ...shadow?.active.lastPromotion }, 'shadow')
    }
  }
  const converge = {
    source,
    obtain: (pointer: Pointer, signal: AbortSignal) => obtain({ source, cache: undefined }, pointer, signal),
    sandbox: (files: BundleFiles, signal: AbortSignal) => tryInSandbox(files, limits, signal),
    resolveTimeoutMs: config.RESOLVE_TIMEOUT_MS
  }
  const { SHADOW_ALIAS: alias, SHADOW_SHARE: share, MAX_ROWS: maxRows, POLL_INTERVAL_MS: pollMs } = config
  return new Shadow({ live: active, alias, share, pool, maxRows, pollMs, converge }, observer)
}

/** Hints come once there is a model that they may replace. */
function watchPromotions(): void {
  watch.start()
  shadow?.start()
  if (config.KAFKA_BROKERS === '') return
  const heard = () => void hint('kafka')
  const failed = (reason: string) => logger.warn({ reason }, 'promotion events cannot be heard')
  const joined = () => logger.info('promotion events are heard')
  const brokers = config.KAFKA_BROKERS.split(',')
  void listenForHints({ brokers, topic: config.KAFKA_TOPIC, heard, joined, failed }, listening.signal)
}

async function closeModels(): Promise<void> {
  listening.abort()
  await watch.close()
  await Promise.all([rollout.close(), shadow?.close()])
  await cache?.close()
}

/** What served before the restart, or the bundle that came with the code. */
async function firstModel(): Promise<void> {
  if (await converger.resume()) return
  if (config.MODEL_SOURCE === 'local' || config.MODEL_FALLBACK) await rollout.run()
}

async function start(): Promise<App> {
  // The workers load the model while the main thread loads the web framework and puts the routes together: but not before they
  // have been started, for it is a long piece of work in one go.
  const inspected = once(steps, 'inspect' satisfies Step)
  const live = firstModel()
  live.catch(() => undefined)
  await Promise.race([live, inspected])
  const { buildApp } = await import('./server/app.js')
  const built = await buildApp({
    config,
    metrics,
    active,
    converger,
    shadow,
    drain,
    logger,
    version: packageJson.version
  })
  await live
  watchPromotions()
  await listen(built.app, built.operators, config)
  // A store that is down keeps the replica not ready, not from starting. Where a model serves, its first callers come first.
  const wait = active.serving ? FIRST_LOOK_MS : 0
  if (config.MODEL_SOURCE !== 'local') setTimeout(() => void hint('poll'), wait).unref()
  // Once in the main thread too: the native library must not be unloaded with the last worker of an old model.
  await import('./model/inference/worker/onnx-session.js')
  return built
}

const started = start()
handleSignals({ config, log, drain, closeModels, started: started.catch(() => undefined) })
started.catch((error: unknown) => {
  const line = explain(error)
  if (line === undefined) throw error
  void log.end().then(() => refuseStart(line))
})
