import type { Cell } from '../results/cell.schema.js'

/** What the limiter is judged by. */
export interface Load {
  thinkMs: number
  users: number
  elapsedMs: number
  /** mean latency of good answers, ms */
  latencyMs: number
  /** of all cores, 0 to 1; null where the host under load is not this one */
  hostBusy: number | null
  cores: number
  generator: { processes: number; cpuSeconds: number }
  haproxy: { cpuSeconds: number } | null
  /** CPU seconds of each replica; null where they cannot be read */
  replicas: (number | null)[]
}

/** Share of all cores from which the host is full: the rest is what the scheduler cannot hand out. */
export const HOST_FULL = 0.92
/** Share of a core from which a process with one busy thread is full. */
const CORE_FULL = 0.95
/** Share of a user's round from which its pause alone is the limit: no server could raise the throughput by more than the rest. */
const PAUSE_ALONE = 0.9

/**
 * Names what kept the throughput from being higher, with the figures that say so. The first that holds is taken: users that
 * hardly wait limit the load whatever the machine does, and on a full host nothing that runs on it can be told to be the
 * narrow part by its own share; the largest consumer is named then. Users that pause for longer than they wait are the
 * limit where nothing is full.
 */
export function findLimiter(load: Load): Cell['limiter'] {
  const seconds = load.elapsedMs / 1000
  const parts = {
    generator: load.generator.cpuSeconds / seconds,
    haproxy: (load.haproxy?.cpuSeconds ?? 0) / seconds,
    replicas: replicaCores(load, seconds)
  }
  if (load.thinkMs > 0 && load.thinkMs >= PAUSE_ALONE * (load.thinkMs + load.latencyMs)) return pauses(load)
  if (load.hostBusy !== null && load.hostBusy >= HOST_FULL) {
    const replicas = parts.replicas ?? 0
    const ours = parts.generator + parts.haproxy + replicas
    const all = { ...parts, replicas, 'other processes': Math.max(0, load.hostBusy * load.cores - ours) }
    const [largest, most] = Object.entries(all).sort(([, a], [, b]) => b - a)[0]!
    return {
      what: 'host CPU',
      evidence: `all cores are ${percent(load.hostBusy)} busy; the largest part is ${largest} with ${cores(most)}, of ${shares(parts)}, other processes ${cores(all['other processes'])}`
    }
  }
  const full = fullPart(load, parts, seconds)
  return full.what === 'none found' && load.thinkMs > load.latencyMs ? pauses(load) : full
}

function pauses({ thinkMs, latencyMs, users }: Load): Cell['limiter'] {
  return {
    what: 'think time',
    evidence: `users think for ${ms(thinkMs)} and wait for ${ms(latencyMs)}; without any latency, users would send ${Math.round((users / thinkMs) * 1000)} requests a second`
  }
}

interface Parts {
  generator: number
  haproxy: number
  /** null where one of them cannot be read */
  replicas: number | null
}

function replicaCores({ replicas }: Load, seconds: number): number | null {
  if (replicas.length === 0 || replicas.includes(null)) return null
  return replicas.reduce<number>((sum, cpu) => sum + cpu!, 0) / seconds
}

function fullPart(load: Load, parts: Parts, seconds: number): Cell['limiter'] {
  const eachLoadWorker = parts.generator / load.generator.processes
  if (eachLoadWorker >= CORE_FULL) {
    return { what: 'generator', evidence: `each load worker uses ${cores(eachLoadWorker)}` }
  }
  if (parts.haproxy >= CORE_FULL) {
    return { what: 'haproxy', evidence: `HAProxy's one thread uses ${cores(parts.haproxy)}` }
  }
  const known = load.replicas.filter(cpu => cpu !== null)
  const least = known.length > 0 ? Math.min(...known) / seconds : 0
  if (known.length > 0 && least >= CORE_FULL) {
    return { what: 'replicas', evidence: `every replica uses at least ${cores(least)}` }
  }
  const host =
    load.hostBusy === null ? 'the CPU of the host cannot be read' : `all cores are ${percent(load.hostBusy)} busy`
  return { what: 'none found', evidence: `${host}; ${shares(parts)}` }
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`
const percent = (share: number): string => `${Math.round(share * 100)} %`
const cores = (value: number): string => `${value.toFixed(2)} cores`
const shares = (parts: Parts): string =>
  `replicas ${parts.replicas === null ? 'unknown' : cores(parts.replicas)}, HAProxy ${cores(parts.haproxy)}, generator ${cores(parts.generator)}`
