import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { BenchError } from '../errors.js'
import type { Edge } from './process.js'

const LOCUSTFILE = 'load/locustfile.py'
/** Where test/servers/install.sh puts it. */
const PROGRAM = '.services/locust/bin/locust'
/** Seconds in which the load workers must have reached their master. */
const LOAD_WORKERS_WAIT_S = 60
/** Seconds beyond warm-up and interval after which a run is ended that has not ended itself. */
const OVERTIME_S = 60
/** Seconds in which users may end the request that they are in. */
const STOP_S = 10

/** A run of Locust. */
export interface LocustOptions {
  /** the target, without a path */
  url: string
  users: number
  /** processes; the master that counts is one more */
  loadWorkers: number
  /** the measured interval, after the warm-up */
  durationMs: number
  warmUpMs: number
  thinkMs: number
  /** written by `writePayload` */
  bodiesFile: string
  /** folder for Locust's own files; it is made if it is not there */
  outDir: string
  /** port of Locust's own page on loopback; without it there is none */
  webPort?: number | undefined
  /** the program, when it is not where test/servers/install.sh puts it */
  program?: string | undefined
  onLog?: ((line: string) => void) | undefined
  /** called when the first load worker's interval begins, and when the first one ends: the others are some ms behind */
  onInterval?: ((edge: Edge) => void) | undefined
  /** ends the run early: everything is stopped, then its reason is thrown */
  signal?: AbortSignal | undefined
}

/** @throws BenchError `program_missing` that says how to install it */
export function findLocust(program = PROGRAM): string {
  if (existsSync(program)) return program
  const install =
    'python3 -m venv .services/locust && .services/locust/bin/pip install --require-hashes -r load/requirements.txt'
  throw new BenchError('program_missing', `Locust is not at ${program}; to install it: ${install}`)
}

/** Makes sure that a port of loopback can be listened on; 0 finds a free one. @throws BenchError `port_in_use` */
export async function freePort(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new BenchError('port_in_use', `port ${port} is in use`, { cause })
  }
  const { port: found } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return found
}

/** Where a run's CSV files are: `PREFIX_stats.csv`, `PREFIX_stats_history.csv`, … */
export const csvPrefix = (outDir: string): string => join(outDir, 'locust')

/** The master: it gives the options to the load workers, and writes the files. */
export function masterArgs(order: LocustOptions, port: number): string[] {
  const { url, users, loadWorkers, durationMs, warmUpMs, thinkMs, bodiesFile, outDir, webPort } = order
  const limit = Math.ceil((warmUpMs + durationMs) / 1000) + OVERTIME_S
  const page = ['--autostart', '--autoquit', '0', '--web-host', '127.0.0.1', '--web-port', String(webPort)]
  return [
    '-f',
    LOCUSTFILE,
    '--master',
    '--master-bind-host',
    '127.0.0.1',
    '--master-bind-port',
    String(port),
    '--expect-workers',
    String(loadWorkers),
    '--expect-workers-max-wait',
    String(LOAD_WORKERS_WAIT_S),
    ...(webPort === undefined ? ['--headless'] : page),
    '--host',
    url,
    '--users',
    String(users),
    '--spawn-rate',
    String(users),
    '--run-time',
    `${limit}s`,
    '--stop-timeout',
    String(STOP_S),
    // Failures are figures, not the end of a run.
    '--exit-code-on-error',
    '0',
    '--only-summary',
    '--csv',
    csvPrefix(outDir),
    '--csv-full-history',
    '--payload',
    bodiesFile,
    '--think-ms',
    String(thinkMs),
    '--warm-up-ms',
    String(warmUpMs),
    '--interval-ms',
    String(durationMs)
  ]
}

export function loadWorkerArgs(port: number): string[] {
  return ['-f', LOCUSTFILE, '--worker', '--master-host', '127.0.0.1', '--master-port', String(port)]
}
