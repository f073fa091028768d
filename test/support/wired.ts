import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { createService, type Service } from '../../src/service.js'
import { loadConfig } from '../../src/settings/config.js'

/** The service in this process, as `main` puts it together: it listens nowhere, and requests are injected. */
export interface Wired {
  app: FastifyInstance
  service: Service
  /** what was logged, as JSON objects */
  logged: Record<string, unknown>[]
}

/** Wires the service with these settings and takes the bundle in `MODEL_DIR` live; it ends with the test. */
export async function wired(t: Test, env: Record<string, string> = {}): Promise<Wired> {
  const logged: Wired['logged'] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
  const service = createService(loadConfig(env), logger)
  const { app } = await service.prepare()
  t.teardown(async () => {
    await app.close()
    await service.close()
  })
  return { app, service, logged }
}
