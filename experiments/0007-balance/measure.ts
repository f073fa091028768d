import type { Replica } from '../../src/bench/stack/replica.js'
import { wrk } from '../../scripts/speed/processes.js'
import { readProcess } from '../../src/bench/watch/proc.js'

/** What one load of some seconds has shown. */
export interface Sample {
  /** 2xx answers a second */
  rps: number
  /** ms */
  p50: number
  p99: number
  /** share of all requests, errors of sockets included */
  failures: number
  /** mean rows of a batch over all replicas */
  batchRows: number
  /** replicas that answered at least 1 % of the requests */
  busy: number
  /** CPU of all replicas, µs a request */
  cpuUs: number
}

interface Counters {
  batches: number
  rows: number
  cpuSeconds: number
}

/** wrk, one thread, on `url`, between two looks at the replicas' own counters. */
export async function measure(url: string, replicas: Replica[], connections: number, seconds: number): Promise<Sample> {
  const before = await Promise.all(replicas.map(counters))
  const load = await wrk(url, connections, seconds, '--timeout', '10s')
  const after = await Promise.all(replicas.map(counters))
  const rows = after.map((now, index) => now.rows - before[index]!.rows)
  const grown = (name: keyof Counters) => after.reduce((sum, now, index) => sum + now[name] - before[index]![name], 0)
  const { connect, read, write, status, timeout } = load.errors
  const broken = connect + read + write + timeout
  return {
    rps: (load.requests - status) / load.seconds,
    p50: load.p50,
    p99: load.p99,
    failures: (broken + status) / (load.requests + broken),
    batchRows: grown('rows') / grown('batches'),
    busy: rows.filter(own => own > grown('rows') / 100).length,
    cpuUs: (grown('cpuSeconds') / grown('rows')) * 1e6
  }
}

async function counters({ url, pid }: Replica): Promise<Counters> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)![1])
  const { cpuSeconds } = readProcess(pid)
  return { batches: value('gru_batch_rows_count'), rows: value('gru_batch_rows_sum'), cpuSeconds }
}
