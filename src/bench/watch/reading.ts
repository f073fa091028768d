import type { Cell, ProcessFigures, ReplicaFigures } from '../results/cell.schema.js'
import { type HostReading, hostShares, type ProcessReading, readHost, readProcess } from './proc.js'
import { between, type ReplicaCounters, scrape } from './scrape.js'

/** A replica whose counters can be read. */
export interface WatchedReplica {
  name: string
  url: string
  /** of its own counters */
  metricsUrl: string
  /** null where its process is not ours to read */
  pid: number | null
}

/** Whose readings are taken. */
export interface Watched {
  replicas: readonly WatchedReplica[]
  haproxyPid: number | null
  generatorPids: readonly number[]
}

/** What all of them had used and counted at one moment. */
export interface Reading {
  host: HostReading
  replicas: { counters: ReplicaCounters; process: ProcessReading | null }[]
  haproxy: ProcessReading | null
  generator: ProcessReading[]
}

/**
 * Reads everybody now. The processes are read first and all at once; the counters come by HTTP from replicas under load,
 * some ms later.
 */
export async function takeReading({ replicas, haproxyPid, generatorPids }: Watched): Promise<Reading> {
  const processes = {
    host: readHost(),
    haproxy: haproxyPid === null ? null : readProcess(haproxyPid),
    generator: generatorPids.map(readProcess),
    replicas: replicas.map(({ pid }) => (pid === null ? null : readProcess(pid)))
  }
  const counters = await scrapeAll(replicas)
  return {
    ...processes,
    replicas: counters.map((counters, index) => ({ counters, process: processes.replicas[index]! }))
  }
}

function scrapeAll(replicas: readonly WatchedReplica[]): Promise<ReplicaCounters[]> {
  return Promise.all(replicas.map(({ metricsUrl }) => scrape(metricsUrl)))
}

/**
 * Begins to count the 2xx answers of each replica. The function that comes back gives how many there were since then.
 * @throws BenchError `target_down` when a replica does not answer with metrics
 */
export async function countAnswers(replicas: readonly WatchedReplica[]): Promise<() => Promise<number[]>> {
  const before = await scrapeAll(replicas)
  return async () => (await scrapeAll(replicas)).map(({ ok }, index) => ok - before[index]!.ok)
}

/** What each replica did between two readings; `wholeOk` is how many 2xx answers it counted in the whole cell. */
export function replicaFigures(
  replicas: readonly WatchedReplica[],
  [first, last]: readonly [Reading, Reading],
  wholeOk: readonly number[]
): ReplicaFigures[] {
  return replicas.map(({ name, url }, index) => {
    const [before, after] = [first.replicas[index]!, last.replicas[index]!]
    const { ok, batchRows, queueWaitSeconds, eventLoopP99Ms, digest } = between(before.counters, after.counters)
    const cpuSeconds = after.process && before.process && cpuBetween(before.process, after.process)
    const rssBytes = after.process && after.process.rssBytes
    return {
      name,
      url,
      digest,
      ok,
      wholeOk: wholeOk[index]!,
      batchRows,
      queueWaitSeconds,
      cpuSeconds,
      rssBytes,
      eventLoopP99Ms
    }
  })
}

/** CPU and memory of the processes of one kind between two readings. */
export function processFigures(before: readonly ProcessReading[], after: readonly ProcessReading[]): ProcessFigures {
  return {
    processes: after.length,
    cpuSeconds: after.reduce((sum, reading, index) => sum + cpuBetween(before[index]!, reading), 0),
    rssBytes: after.reduce((sum, { rssBytes }) => sum + rssBytes, 0)
  }
}

/** `cores`: those that can be used; a quota may allow less than all the time of those that were read. */
export function hostFigures(first: Reading, last: Reading, cores: number): Cell['host'] {
  const { busyShare, stealShare } = hostShares(first.host, last.host)
  return { cores, busyShare: Math.min(1, (busyShare * last.host.cores) / cores), stealShare }
}

function cpuBetween(before: ProcessReading, after: ProcessReading): number {
  // Ticks are hundredths: without this a sum shows the error of binary fractions.
  return Math.round((after.cpuSeconds - before.cpuSeconds) * 100) / 100
}
