import type { Config } from './settings/config.js'
import type { Service } from './service.js'
import type { App } from './server/app.js'
import { closeGently } from './server/drain.js'
import type { Log } from './host/log.js'

export interface Lifecycle {
  config: Config
  log: Log
  service: Pick<Service, 'drain' | 'close' | 'rereadKeys'>
  /** settles when the start is over, with the app if it is listening */
  started: Promise<App | undefined>
}

/**
 * Stops the process well on SIGTERM and SIGINT: not ready at once, requests taken for the drain delay (the load balancer
 * needs it to notice), then what is in flight answered, the workers ended, exit 0. A second signal skips the delay.
 */
export function handleSignals(life: Lifecycle): void {
  let hurry: () => void = () => undefined
  let stopping = false
  const stop = (why: string, exitCode: number, delayMs: number) => {
    if (stopping) return hurry()
    stopping = true
    life.service.drain.draining = true
    life.log.logger.info({ why }, 'stopping')
    killAtEnd(life)
    const delay = new Promise<void>(resolve => {
      hurry = resolve
      setTimeout(resolve, delayMs).unref()
    })
    void end(life, delay).then(() => process.exit(exitCode))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => stop(signal, 0, life.config.DRAIN_DELAY_MS))
  }
  // Without keys it ends the process, as ever.
  if (life.config.API_KEYS_FILE !== '') process.on('SIGHUP', () => life.service.rereadKeys())
  // With a handler, a file beyond the host's limit of sizes is an error of the write, as a full disk is; without one it kills.
  process.on('SIGXFSZ', () => undefined)
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      life.log.logger.fatal({ err: error }, event)
      stop(event, 1, 0)
    })
  }
}

async function end({ config, started, service, log }: Lifecycle, delay: Promise<void>): Promise<void> {
  const app = await started
  if (app) {
    await delay
    await closeGently(app, config.GRACE_MS - config.DRAIN_DELAY_MS)
  }
  await service.close()
  log.logger.info('stopped')
  await log.end()
}

/**
 * The last resort when a model run does not end. `process.exit` with a busy worker aborts the process (134) inside
 * onnxruntime; SIGKILL is the one clean way out.
 */
function killAtEnd({ config, log }: Lifecycle): void {
  setTimeout(() => {
    log.logger.fatal('GRACE_MS is over and a model run has not ended: killing the process')
    void log.end().then(() => process.kill(process.pid, 'SIGKILL'))
  }, config.GRACE_MS).unref()
}
