import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BenchError } from '../errors.js'
import { Child } from './child.js'
import { RuntimeApi } from './runtime-api.js'
import { until } from './until.js'

const CONFIG = 'haproxy.cfg'
/** HAProxy ends at once; a host that stands still may take longer. */
const GRACE_MS = 5000

export interface HaproxyOptions {
  /** port of the front end on loopback */
  port: number
  /** what the variables of haproxy.cfg are to be, beside the addresses that are ours to choose */
  env: Record<string, string>
  /** the program */
  program?: string | undefined
  onLog?: ((line: string) => void) | undefined
}

/** A HAProxy of ours with haproxy.cfg. */
export interface RunningHaproxy {
  url: string
  pid: number
  version: string
  api: RuntimeApi
  child: Child
  /** ends it and removes its sockets */
  stop(): Promise<void>
}

/**
 * Starts HAProxy and resolves when it listens.
 * @throws BenchError `program_missing`, `port_in_use`, or `start_failed` with the last line that it printed
 */
export async function startHaproxy({ port, env, program = 'haproxy', onLog }: HaproxyOptions): Promise<RunningHaproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'gru-bench-'))
  const socket = join(folder, 'runtime.sock')
  let portInUse = false
  const child = new Child({
    name: 'haproxy',
    command: program,
    args: ['-db', '-f', CONFIG],
    env: {
      LB_BIND: `127.0.0.1:${port}`,
      LB_METRICS_BIND: `unix@${join(folder, 'metrics.sock')}`,
      LB_SOCKET: `unix@${socket}`,
      ...env
    },
    onLine(line) {
      portInUse ||= /cannot bind socket.*Address already in use/.test(line)
      onLog?.(`haproxy: ${line}`)
    }
  })
  const stop = async () => {
    await child.stop(GRACE_MS)
    await rm(folder, { recursive: true, force: true })
  }
  const api = new RuntimeApi(socket)
  const ended = child.exit.then(code => {
    throw portInUse ? new BenchError('port_in_use', `port ${port} is in use`) : child.startError(code)
  })
  try {
    const version = await Promise.race([ended, until('haproxy answers', () => api.version().catch(() => undefined))])
    return { url: `http://127.0.0.1:${port}`, pid: child.pid, version, api, child, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    ended.catch(() => undefined)
  }
}
