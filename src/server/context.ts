import type { Config } from '../settings/config.js'
import type { Metrics } from '../metrics/metrics.js'
import type { ActiveModel } from '../model/promotion/active-model.js'
import type { Reconciler } from '../model/promotion/reconciler.js'
import type { Shadow } from '../model/shadow/shadow.js'
import type { ApiKeys } from './edge/api-keys.js'

/** What the routes work with; handed in, so that a test can bring its own. */
export interface Context {
  config: Config
  metrics: Metrics
  active: ActiveModel
  reconciler: Reconciler
  /** the second version that gets live rows, where one is configured */
  shadow: Shadow | undefined
  /** set once the process has been asked to stop */
  drain: { draining: boolean }
  /** whether promotion events from Kafka are heard; undefined where none are to be */
  eventsHeard: () => boolean | undefined
  /** the keys of which callers must have one; undefined where anybody may ask */
  keys: ApiKeys | undefined
}

/** A warmed model and not draining: what `/readyz` says and the load balancer acts on. */
export function isReady({ active, drain }: Pick<Context, 'active' | 'drain'>): boolean {
  return active.ready && !drain.draining
}
