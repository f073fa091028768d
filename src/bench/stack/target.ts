import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { unlessAborted } from '../../abort.js'
import type { BenchError } from '../errors.js'
import type { SweepOptions } from '../options.js'
import { balanceFor, MAXCONN } from './balance.js'
import { type Stack, startStack } from './stack.js'
import type { WatchedReplica } from '../watch/reading.js'
import { usableCores } from '../../host/cores.js'

/** State of an established connection in /proc/net/tcp. */
const ESTABLISHED = '01'

/** What a sweep measures: a stack of ours, or something that runs already and is not touched. */
export interface Target {
  readonly url: string
  /** ours, or null */
  readonly haproxy: Stack['haproxy'] | null
  /** HAProxy's `balance`, or null where it is not ours */
  readonly balance: string | null
  /** concurrent requests that HAProxy allows to one replica, in words, or null where HAProxy is not ours */
  readonly maxconn: string | null
  /** whether it shares this machine, so that the machine's load is its limit too */
  readonly isHere: boolean
  /** resolves when a process of ours ends before `stop` */
  readonly died: Promise<BenchError>
  /** lets exactly so many replicas take traffic, and resolves to those that can be watched */
  scale(count: number): Promise<WatchedReplica[]>
  /** client connections that its side counts now; null where that cannot be known */
  connections(): Promise<number | null>
  stop(): Promise<void>
}

/** Ms in which a process that has ended is known to have. */
const END_KNOWN_MS = 1000

/**
 * Measures as long as the target lives: what is measured ends with it, for its load would go on against nobody until its time is over.
 * What fails because a process of the target has ended may fail before its end is known: then the end is what is said.
 */
export async function whileAlive<T>(
  { died }: Pick<Target, 'died'>,
  signal: AbortSignal,
  measure: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const broken = new AbortController()
  void died.then(error => broken.abort(error))
  const measured = measure(AbortSignal.any([signal, broken.signal])).catch(async error => {
    if (!signal.aborted) await unlessAborted(broken.signal, pause(END_KNOWN_MS))
    throw error
  })
  return unlessAborted(broken.signal, measured)
}

/** Opens what the options name: starts the stack, or looks whether the target answers. */
export async function openTarget(options: SweepOptions, most: number): Promise<Target> {
  return options.target === undefined ? ownStack(options, most) : runningTarget(options.target, options)
}

/** So many replicas behind a HAProxy whose `balance` is that of the options, or the one for so many on this host. */
export async function ownStack(options: Pick<SweepOptions, 'port' | 'balance'>, replicas: number): Promise<Target> {
  const balance = options.balance ?? balanceFor(replicas, usableCores())
  const stack = await startStack({ replicas, port: options.port, haproxyEnv: { LB_BALANCE: balance } })
  return {
    url: stack.url,
    haproxy: stack.haproxy,
    balance,
    maxconn: `${MAXCONN.each}, alone ${MAXCONN.single}`,
    isHere: true,
    died: stack.died,
    async scale(count) {
      const active = await stack.scale(count)
      return active.map(replica => ({ ...replica, metricsUrl: `${replica.url}/metrics` }))
    },
    connections: async () => (await stack.haproxy.stats()).frontendSessions,
    stop: () => stack.stop()
  }
}

async function runningTarget(url: string, { replicaMetrics }: SweepOptions): Promise<Target> {
  const { hostname, port } = new URL(url)
  const isHere =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  const replicas = replicaMetrics.map((metricsUrl, index) => ({
    name: `r${index + 1}`,
    url: new URL(metricsUrl).origin,
    metricsUrl,
    pid: null
  }))
  return {
    url,
    haproxy: null,
    balance: null,
    maxconn: null,
    isHere,
    died: new Promise(() => undefined),
    scale: () => Promise.resolve(replicas),
    connections: () => (isHere ? acceptedOn(Number(port) || 80) : Promise.resolve(null)),
    stop: () => Promise.resolve()
  }
}

/** Connections that the kernel holds on a local port, as the side that accepted them (proc(5), /proc/net/tcp). */
async function acceptedOn(port: number): Promise<number> {
  const local = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = await Promise.all(['tcp', 'tcp6'].map(name => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  return tables
    .join('')
    .split('\n')
    .filter(line => {
      const [, address = '', , state] = line.trim().split(/\s+/)
      return address.endsWith(`:${local}`) && state === ESTABLISHED
    }).length
}
