import type { Test } from 'tap'
import { type RunningHaproxy, startHaproxy } from '../../src/bench/stack/haproxy.js'
import { type RunningReplica, startReplica } from '../../src/bench/stack/replica.js'
import type { HaproxyStats } from '../../src/bench/stack/runtime-api.js'
import { admit, scaleTo } from '../../src/bench/stack/scale.js'
import { Ledger } from './ledger.js'
import { grown, type Scrape, scrape } from './scrape.js'
import { freePorts } from './servers/ports.js'
import { unhandled } from './unhandled.js'

export interface BalancedOptions {
  replicas?: number
  /** settings of the replicas */
  env?: Record<string, string>
  /** settings of one of them, by its place from 0 */
  envOf?(index: number): Record<string, string>
  /** variables of haproxy.cfg */
  haproxyEnv?: Record<string, string>
  /** HAProxy's program; the one on the path if it is left out */
  program?: string
}

/** Replicas behind the real HAProxy, each of which may be killed, frozen or replaced. */
export interface Balanced {
  url: string
  port: number
  replicas: RunningReplica[]
  haproxy: RunningHaproxy
  ledger: Ledger
  /** every line that was printed, behind the process's name */
  lines: string[]
  stats(): Promise<HaproxyStats>
  /** starts a replica anew at its old address */
  restart(index: number): Promise<void>
}

/** Starts replicas and HAProxy for a test, with all taking traffic, and ends them with it. */
export async function balanced(t: Test, options: BalancedOptions = {}): Promise<Balanced> {
  const { replicas: count = 2, env = {}, envOf = () => ({}), haproxyEnv = {}, program } = options
  const lines: string[] = []
  const onLog = (line: string) => void lines.push(line)
  const start = (index: number, port = 0) =>
    startReplica({ name: `r${index + 1}`, port, env: { ...env, ...envOf(index) }, onLog })
  const replicas = await Promise.all(Array.from({ length: count }, (_, index) => start(index)))
  t.teardown(() => Promise.all(replicas.map(({ child }) => child.stop(20_000))))
  const addresses = replicas.map(({ url }, index) => [`LB_REPLICA_${index + 1}`, new URL(url).host])
  const [port] = (await freePorts(1)) as [number]
  const haproxy = await startHaproxy({
    port,
    env: { ...Object.fromEntries(addresses), LB_REPLICA_STATE: 'disabled', ...haproxyEnv },
    program,
    onLog
  })
  t.teardown(() => haproxy.stop())
  await scaleTo(haproxy.api, replicas, count)
  const ledger = new Ledger(haproxy.url)
  t.teardown(() => ledger.close())
  return {
    url: haproxy.url,
    port,
    replicas,
    haproxy,
    ledger,
    lines,
    stats: () => haproxy.api.stats(),
    async restart(index) {
      replicas[index] = await start(index, Number(new URL(replicas[index]!.url).port))
    }
  }
}

/** Lets a server of HAProxy, known or not yet started, take traffic as soon as its checks pass. */
export async function admitAt({ haproxy }: Balanced, name: string, port: number): Promise<void> {
  const places = [`replicas/${name}`, `replicas/${name}-last`, `large/${name}`, `alive/${name}`]
  await haproxy.api.ask(places.map(place => `set server ${place} addr 127.0.0.1 port ${port}`).join('; '))
  await admit(haproxy.api, name)
}

/** The metrics of every replica. */
export function scrapeAll({ replicas }: Balanced): Promise<Scrape[]> {
  return Promise.all(replicas.map(({ url }) => scrape(url)))
}

/** Answers to forecasts by status, of all replicas together, between two looks. */
export function answered(before: Scrape[], after: Scrape[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [index, now] of after.entries()) {
    for (const series of now.keys()) {
      const status = /^gru_request_duration_seconds_count\{route="\/predict",status="(\d+)"\}$/.exec(series)?.[1]
      const count = status === undefined ? 0 : grown(series, before[index]!, now)
      if (count > 0) counts[status!] = (counts[status!] ?? 0) + count
    }
  }
  return counts
}

/** What every fault must leave alone: nothing lost or wrong, nothing unhandled; and the count, for the reader. */
export function accounted(t: Test, { ledger, lines }: Balanced): void {
  const { entries, lost, wrong, statuses } = ledger
  t.comment(`sent ${entries.length}, lost ${lost.length}, wrong ${wrong.length}, by status ${JSON.stringify(statuses)}`)
  t.same(lost, [], 'no request is lost')
  t.same(wrong, [], 'no answer is wrong')
  t.same(unhandled({ lines }), [], 'nothing is left unhandled')
}
