import { checkCell } from '../analysis/checks.js'
import { latencyFigures } from '../analysis/figures.js'
import { sum } from '../samples/answers.js'
import { findLimiter } from '../analysis/limiter.js'
import type { Cell } from '../results/cell.schema.js'
import type { HaproxyStats } from '../stack/runtime-api.js'
import type { Target } from '../stack/target.js'
import { usableCores } from '../../host/cores.js'
import { hostFigures, processFigures, type Reading, replicaFigures, type WatchedReplica } from '../watch/reading.js'

/** What was read at both ends of a cell's measured interval, and of the whole cell, whichever generator made the load. */
export interface CellMeasurement extends Pick<
  Cell,
  'plan' | 'order' | 'startedAt' | 'warmUp' | 'load' | 'generator' | 'notes'
> {
  readings: readonly [Reading, Reading]
  haproxy: readonly [HaproxyStats, HaproxyStats] | null
  replicas: readonly WatchedReplica[]
  /** 2xx answers of each replica in the whole cell */
  wholeOk: number[]
  /** client connections that the server's side counted in the interval; null where nobody does */
  connections: number | null
}

/** Makes the line of `cells.jsonl`: figures, checks, limiter. */
export function cellRecord(measured: CellMeasurement, target: Target): Cell {
  const { plan, order, startedAt, warmUp, load, generator, notes } = measured
  const { readings, replicas, wholeOk, connections } = measured
  const latencyMs = latencyFigures(load).meanMs
  const figures = replicaFigures(replicas, readings, wholeOk)
  const haproxy = haproxyFigures(measured)
  const host = hostFigures(...readings, usableCores())
  const serversOk = replicas.length > 0 ? sum(wholeOk) : null
  const digests = readings.flatMap(reading => reading.replicas.map(({ counters }) => counters.digest))
  return {
    schema: 1,
    plan,
    order,
    startedAt,
    warmUp,
    load,
    replicas: figures,
    haproxy,
    generator,
    host,
    checks: checkCell({ plan, load, warmUp, generator, latencyMs, connections, serversOk, digests }),
    limiter: findLimiter({
      thinkMs: plan.thinkMs,
      users: plan.users,
      elapsedMs: load.elapsedMs,
      latencyMs,
      generator,
      haproxy,
      hostBusy: target.isHere ? host.busyShare : null,
      cores: host.cores,
      replicas: figures.map(({ cpuSeconds }) => cpuSeconds)
    }),
    notes
  }
}

function haproxyFigures({ readings, haproxy, connections }: CellMeasurement): Cell['haproxy'] {
  const [before, after] = [readings[0].haproxy, readings[1].haproxy]
  if (!before || !after || !haproxy) return null
  const { cpuSeconds, rssBytes } = processFigures([before], [after])
  const [first, last] = haproxy
  return {
    cpuSeconds,
    rssBytes,
    retries: last.retries - first.retries,
    redispatches: last.redispatches - first.redispatches,
    queueMax: last.queueMax,
    frontendSessions: connections ?? last.frontendSessions
  }
}
