import { existsSync } from 'node:fs'
import { MALLOC } from '../../host/malloc.js'
import { BenchError } from '../errors.js'
import { Child } from './child.js'

/** The service as `npm run build` leaves it. */
const ENTRY = 'dist/main.js'
/** The last part of the message with which the service says that it takes requests: its address. */
const LISTENING = /Server listening at (http:\/\/[\w.:[\]]+)/

/** One process of the service. */
export interface Replica {
  /** `r1`, `r2`, …: its server in haproxy.cfg */
  name: string
  url: string
  pid: number
}

export interface ReplicaOptions {
  name: string
  /** port to listen on; a free one if it is left out */
  port?: number
  /** settings of the service beside those of the benchmark */
  env?: Record<string, string> | undefined
  onLog?: ((line: string) => void) | undefined
}

/** A replica with the process behind it. */
export interface RunningReplica extends Replica {
  child: Child
}

/**
 * Starts a replica with one worker and resolves when it listens, which it does with its model loaded and warm.
 * @throws BenchError `not_built` without dist/, `start_failed` with its last line when it ends before it listens
 */
export async function startReplica({ name, port = 0, env, onLog }: ReplicaOptions): Promise<RunningReplica> {
  if (!existsSync(ENTRY)) throw new BenchError('not_built', `${ENTRY} is not there: run npm run build first`)
  const child = new Child({
    name: `replica ${name}`,
    command: process.execPath,
    args: [ENTRY],
    env: { ...MALLOC, WORKERS: '1', DRAIN_DELAY_MS: '0', PORT: String(port), ...env },
    onLine: onLog && (line => onLog(`${name}: ${line}`))
  })
  const url = await child.line(line => LISTENING.exec(line)?.[1])
  return { name, url, pid: child.pid, child }
}
