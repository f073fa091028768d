import { ModelRefused } from './errors.js'
import { emptyFolder } from './host/empty-folder.js'
import { type Log, openLog } from './host/log.js'
import { CacheUnusable } from './model/registry/cache.js'
import type { App } from './server/app.js'
import { BadKeyFile } from './server/edge/api-keys.js'
import { CannotListen } from './server/http/listen.js'
import { createService, type Service } from './service.js'
import { type Config, ConfigError, loadConfig, quietLibraries, settled } from './settings/config.js'
import { handleSignals } from './signals.js'

// The process: settings, log, signals, exit.

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

/** Workers are in the folder of the process, and a path in a model finds nothing there. */
function leaveFolder({ logger }: Log): void {
  try {
    process.chdir(emptyFolder())
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code
    logger.warn({ reason }, 'no empty folder can be made in TMPDIR: models are loaded in the folder of the start')
  }
}

/** What cannot be started with, as one line that names the setting. */
function explain(error: unknown): string | undefined {
  if (error instanceof ModelRefused) return `MODEL_DIR has a model that is refused: ${error.reason}: ${error.message}`
  if (error instanceof BadKeyFile) return error.message
  if (error instanceof CacheUnusable) return `CACHE_DIR ${error.message}`
  return error instanceof CannotListen ? error.message : undefined
}

async function start(service: Service): Promise<App> {
  const app = await service.prepare()
  await service.listen(app)
  return app
}

const config = readConfig()
quietLibraries()
const log = openLog(config.LOG_LEVEL)
leaveFolder(log)
const service = createService(config, log.logger)
const started = start(service)
handleSignals({ config, log, service, started: started.catch(() => undefined) })
started.catch((error: unknown) => {
  const line = explain(error)
  if (line === undefined) throw error
  void log.end().then(() => refuseStart(line))
})
