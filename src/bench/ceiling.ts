import os from 'node:os'
import { measure, type Measurement, type Server, startEcho } from './ceiling/server.js'
import { type CeilingTable, renderCeiling, type RowsSample } from './ceiling/table.js'
import { NO_TELEMETRY } from '../host/telemetry.js'
import type { CeilingOptions } from './cli/cli.js'
import { BenchError } from './errors.js'
import { loadCases } from './load/cases.js'
import { Child } from './stack/child.js'
import { startReplica } from './stack/replica.js'
import { askModel } from './stack/target.js'

/** The measurements that are not over HTTP, and the yardsticks, are those of `npm run speed`. */
const SCRIPTS = 'scripts/speed'
/** The service's own cap on a batch. */
const BATCH = 16
const STOP_MS = 5000

/**
 * Measures two echoes and this service over HTTP, then the batch path against bare onnxruntime: one at a time, in rounds,
 * each round with all of them in turn. The servers' order turns by one with each round, so that none always comes first.
 * @returns Markdown
 * @throws BenchError for what is missing, does not start, ends or fails under load; the signal's reason when that comes
 */
export async function runCeiling(options: CeilingOptions, signal: AbortSignal): Promise<string> {
  const servers: Server[] = []
  try {
    servers.push(await startEcho('bare node:http echo', `${SCRIPTS}/peers/http-echo.mjs`))
    servers.push(await startEcho('Fastify echo', `${SCRIPTS}/peers/echo.mjs`))
    servers.push(await startReplica({ name: 'ceiling' }))
    const http = await overHttp(servers, options, signal)
    await stopAll(servers.splice(0))
    return renderCeiling({ setting: setting(options), ...http, rows: await rowRates(options, signal), batch: BATCH })
  } catch (error) {
    // What was interrupted fails in its own way: why it was is what counts.
    throw signal.aborted ? signal.reason : error
  } finally {
    await stopAll(servers)
  }
}

type OverHttp = Pick<CeilingTable, 'nodeHttp' | 'fastify' | 'service'>

/** Rounds over the three servers, after one that warms them up and does not count. */
async function overHttp(servers: Server[], options: CeilingOptions, signal: AbortSignal): Promise<OverHttp> {
  const { url } = servers[2]!
  const cases = await loadCases({ url, steps: 1, served: await askModel(url) })
  const plain: Measurement = { ...options, signal, bodies: cases.map(({ body }) => body) }
  const figures: [OverHttp['nodeHttp'], OverHttp['fastify'], OverHttp['service']] = [[], [], []]
  for (let round = 0; round <= options.rounds; round++) {
    for (const place of servers.keys()) {
      const which = (place + round) % servers.length
      const measurement = which === 2 ? { ...plain, expected: cases } : plain
      const sample = await measure(servers[which]!, measurement)
      if (round > 0) figures[which]!.push(sample)
    }
  }
  const [nodeHttp, fastify, service] = figures
  return { nodeHttp, fastify, service }
}

async function rowRates({ rounds, durationMs }: CeilingOptions, signal: AbortSignal): Promise<RowsSample[]> {
  const seconds = String(durationMs / 1000)
  const samples: RowsSample[] = []
  for (let round = 0; round < rounds; round++) {
    const batchPath = await rowsOf('the batch path', ['--import', 'tsx', `${SCRIPTS}/ring-rows.ts`, seconds], signal)
    const bareArgs = [`${SCRIPTS}/peers/bare-batches.mjs`, String(BATCH), seconds]
    samples.push({ batchPath, bare: await rowsOf('bare onnxruntime', bareArgs, signal) })
  }
  return samples
}

/** Runs a script that prints its rows a second as a line of JSON, and ends. */
async function rowsOf(name: string, args: string[], signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const child = new Child({ name, command: process.execPath, args, env: NO_TELEMETRY })
  const stop = (): void => void child.stop(STOP_MS)
  signal.addEventListener('abort', stop)
  try {
    const { rowsPerSecond } = await child.line(rowsLine)
    const code = await child.exit
    if (code !== 0) throw new BenchError('child_died', `${name} ended with ${code}: ${child.lastLine}`)
    return rowsPerSecond
  } finally {
    signal.removeEventListener('abort', stop)
    await child.stop(STOP_MS)
  }
}

function rowsLine(line: string): { rowsPerSecond: number } | undefined {
  return line.startsWith('{"rowsPerSecond":') ? (JSON.parse(line) as { rowsPerSecond: number }) : undefined
}

async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(({ child }) => child.stop(STOP_MS)))
}

function setting({ connections, rounds, durationMs }: CeilingOptions): string {
  const [cpu] = os.cpus()
  const machine = `${cpu?.model ?? 'unknown CPU'}, ${os.cpus().length} cores, Node ${process.version}`
  return `${machine}; ${connections} connections, rounds of ${durationMs / 1000} s: ${rounds}`
}
