import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { type Followed, followingEnv, type ModelState, TOKEN } from './followed.js'
import { type Entry, Ledger } from './ledger.js'
import { type Service, type ServiceOptions, startService } from './service.js'

/** A replica that follows a registry, and its operator. */
export interface Following {
  service: Service
  state(): Promise<ModelState>
  admin(route: 'reload' | 'rollback'): Promise<Entry>
  /** resolves once this version serves */
  serves(version: string, limitMs?: number): Promise<void>
}

/** Starts a replica and ends it with the test. */
export async function follow(t: Test, followed: Followed, options: ServiceOptions = {}): Promise<Following> {
  const service = await startService({ ...options, env: { ...followingEnv(followed), ...options.env } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = new Ledger(service.url)
  t.teardown(() => operator.close())
  const state = async () => (await operator.get('/model')).json as unknown as ModelState
  return {
    service,
    state,
    admin: route => operator.send('{}', { path: `/admin/${route}`, headers: { authorization: `Bearer ${TOKEN}` } }),
    async serves(version, limitMs = 60_000) {
      await eventually(`${version} serves`, async () => (await state()).model?.version === version, limitMs)
    }
  }
}
