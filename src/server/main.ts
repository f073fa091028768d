import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import packageJson from '../../package.json' with { type: 'json' }
import { type Config, ConfigError, loadConfig } from '../config.js'
import { ModelRefused } from '../errors.js'
import { createMetrics } from '../metrics.js'
import { ActiveModel } from '../model/promotion/active-model.js'
import { Rollout } from '../model/promotion/rollout.js'
import { readLocalBundle } from '../model/store/local.js'
import { isReady } from './context.js'
import { handleSignals } from './process.js'

/** Ends a start that cannot succeed, in one line. */
function refuseStart(message: string): never {
  process.stderr.write(`gru-inference: ${message}\n`)
  process.exit(1)
}

function readConfig(): Config {
  try {
    return loadConfig()
  } catch (error) {
    if (error instanceof ConfigError) refuseStart(error.message)
    throw error
  }
}

const NO_ADDRESS = ['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']

/** What cannot be started with, as one line that names the setting. */
function explain(error: unknown): string | undefined {
  if (error instanceof ModelRefused) return `MODEL_DIR holds no model that may serve: ${error.reason}: ${error.message}`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE' || code === 'EACCES') return `PORT cannot be listened on (${code})`
  if (NO_ADDRESS.includes(code ?? '')) return `HOST is no address of this host (${code})`
  return undefined
}

const config = readConfig()
const logger = pino({ level: config.LOG_LEVEL, base: { pid: process.pid } })
const drain = { draining: false }
const active = new ActiveModel()
const metrics = createMetrics({
  queued: () => active.serving?.pool.queued ?? 0,
  taken: () => active.serving?.pool.taken ?? 0,
  ready: () => isReady({ active, drain }),
  model() {
    const manifest = active.serving?.pool.bundle.manifest
    return (
      manifest && { name: manifest.name, version: manifest.version, run_id: manifest.run_id, digest: manifest.sha256 }
    )
  }
})
const observer = {
  ...metrics,
  workerDied(reason: string) {
    metrics.workerDied()
    logger.error({ reason }, 'a worker died')
  },
  promotion(outcome: Parameters<typeof metrics.promotion>[0], seconds: number) {
    metrics.promotion(outcome, seconds)
    logger.info({ ...active.lastPromotion, seconds }, 'promotion')
  }
}
const pool = {
  queueRows: config.QUEUE_ROWS,
  workers: config.WORKERS,
  batchCap: config.BATCH_CAP,
  runTimeoutMs: config.RUN_TIMEOUT_MS,
  heapMb: config.WORKER_HEAP_MB
}
const fetch = () => readLocalBundle(config.MODEL_DIR)
const rollout = new Rollout(active, { fetch, pool, maxRows: config.MAX_ROWS }, observer)

async function start(): Promise<FastifyInstance> {
  // The workers load the model while the main thread loads the web framework and puts the routes together.
  const live = rollout.run()
  live.catch(() => undefined)
  const { buildApp } = await import('./app.js')
  const app = await buildApp({ config, metrics, active, rollout, drain, logger, version: packageJson.version })
  await live
  await app.listen({ host: config.HOST, port: config.PORT })
  // Once in the main thread too: the native library must not be unloaded with the last worker of an old model.
  await import('../model/onnx-session.js')
  return app
}

const started = start()
handleSignals({ config, logger, drain, rollout, started: started.catch(() => undefined) })
started.catch((error: unknown) => {
  const line = explain(error)
  if (line === undefined) throw error
  refuseStart(line)
})
