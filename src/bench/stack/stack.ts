import { BenchError } from '../errors.js'
import { maxconnFor } from './balance.js'
import { type RunningHaproxy, startHaproxy } from './haproxy.js'
import { type Replica, type RunningReplica, startReplica } from './replica.js'
import type { HaproxyStats } from './runtime-api.js'
import { scaleTo } from './scale.js'

/** Servers in haproxy.cfg. */
const SLOTS = 8
/** The port that the report's system had. */
const PORT = 8023
/** More than the service's own GRACE_MS, by which it has ended. */
const GRACE_MS = 12_000

/** Replicas of the service behind a HAProxy, all ours. */
export interface Stack {
  /** HAProxy's front end */
  readonly url: string
  /** all that were started */
  readonly replicas: readonly Replica[]
  readonly haproxy: {
    readonly pid: number
    readonly version: string
    stats(): Promise<HaproxyStats>
    /** starts `queueMax` anew */
    clearMaxima(): Promise<void>
  }
  /** resolves when one of the processes ends before `stop`, with what is to be said of it */
  readonly died: Promise<BenchError>
  /**
   * Lets exactly the first `count` replicas take traffic. Resolves to them when HAProxy's own checks show them UP, no
   * other has a request any more, and all serve the same model.
   * @throws BenchError `start_failed` when that does not come about, or `child_died`
   */
  scale(count: number): Promise<Replica[]>
  /** Ends every process, and resolves when they have ended. */
  stop(): Promise<void>
}

export interface StackOptions {
  /** 1 to 8; all take traffic until `scale` */
  replicas: number
  /** HAProxy's port on loopback, 8023 if it is left out */
  port?: number | undefined
  /** every line that one of the processes prints, behind its name */
  onLog?: ((line: string) => void) | undefined
  /** settings of the replicas, as the service's README lists them */
  env?: Record<string, string> | undefined
  /** variables of haproxy.cfg; LB_REPLICA_MAXCONN holds for every scale, otherwise it is `maxconnFor` the scale */
  haproxyEnv?: Record<string, string> | undefined
  /** HAProxy's program, if it is not the one on the path */
  haproxy?: string | undefined
}

/**
 * Starts replicas and HAProxy once, to be kept for all cells.
 * @throws BenchError; whatever had been started is stopped then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (!Number.isInteger(options.replicas) || options.replicas < 1 || options.replicas > SLOTS) {
    throw new BenchError('bad_flag', `replicas must be 1 to ${SLOTS}, not ${options.replicas}`)
  }
  const replicas = await startReplicas(options)
  const isFixed = options.haproxyEnv?.LB_REPLICA_MAXCONN !== undefined
  const maxconn = (count: number) => (isFixed ? undefined : maxconnFor(count))
  let haproxy: RunningHaproxy | undefined
  try {
    haproxy = await startHaproxy({
      port: options.port ?? PORT,
      env: { ...addresses(replicas), LB_REPLICA_STATE: 'disabled', ...options.haproxyEnv },
      program: options.haproxy,
      onLog: options.onLog
    })
    await scaleTo(haproxy.api, replicas, replicas.length, maxconn(replicas.length))
  } catch (error) {
    await stopAll(replicas, haproxy)
    throw error
  }
  return assemble(replicas, haproxy, maxconn)
}

function assemble(
  replicas: RunningReplica[],
  haproxy: RunningHaproxy,
  maxconn: (count: number) => number | undefined
): Stack {
  let stopping = false
  const died = new Promise<BenchError>(resolve => {
    for (const child of [haproxy.child, ...replicas.map(({ child }) => child)]) {
      void child.exit.then(code => {
        const last = child.lastLine && `: ${child.lastLine}`
        if (!stopping) resolve(new BenchError('child_died', `${child.name} ended (${code})${last}`))
      })
    }
  })
  return {
    url: haproxy.url,
    replicas: replicas.map(plain),
    haproxy: {
      pid: haproxy.pid,
      version: haproxy.version,
      stats: () => haproxy.api.stats(),
      clearMaxima: () => haproxy.api.clearMaxima()
    },
    died,
    async scale(count) {
      await scaleTo(haproxy.api, replicas, count, maxconn(count))
      return replicas.slice(0, count).map(plain)
    },
    async stop() {
      stopping = true
      await stopAll(replicas, haproxy)
    }
  }
}

/** Starts them all at once. If one does not start, the others are stopped when they have. */
async function startReplicas({ replicas, env, onLog }: StackOptions): Promise<RunningReplica[]> {
  const names = Array.from({ length: replicas }, (_, index) => `r${index + 1}`)
  const started = await Promise.allSettled(names.map(name => startReplica({ name, env, onLog })))
  const running = started.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = started.find(outcome => outcome.status === 'rejected')
  if (!failed) return running
  await stopAll(running)
  throw failed.reason
}

async function stopAll(replicas: RunningReplica[], haproxy?: RunningHaproxy): Promise<void> {
  await Promise.all([haproxy?.stop(), ...replicas.map(({ child }) => child.stop(GRACE_MS))])
}

function addresses(replicas: RunningReplica[]): Record<string, string> {
  return Object.fromEntries(replicas.map(({ url }, index) => [`LB_REPLICA_${index + 1}`, new URL(url).host]))
}

function plain({ name, url, pid }: RunningReplica): Replica {
  return { name, url, pid }
}
