import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { readProcess } from '../../src/bench/watch/proc.js'
import { MALLOC } from '../../src/host/malloc.js'
import { NO_TELEMETRY } from '../../src/host/telemetry.js'

/** A server under load, and what its process has used. */
export interface Target {
  name: string
  port: number
  child: ChildProcess
}

export const SERVICE = 'dist/main.js'

const running = new Set<ChildProcess>()

/** Ends what a measurement that failed has left running. */
export function killTargets(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Starts `node entry` on a port and waits for the line that says so. Yardsticks get the same malloc as the service. */
export async function startTarget(name: string, entry: string, port: number, settings = {}): Promise<Target> {
  const env = {
    ...MALLOC,
    ...NO_TELEMETRY,
    PATH: process.env.PATH,
    PORT: String(port),
    DRAIN_DELAY_MS: '0',
    ...settings
  }
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('listening')) return { name, port, child }
  }
  throw new Error(`${name} ended before it listened`)
}

export async function stopTarget({ child }: Target): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** CPU seconds of the whole process so far. */
export const cpuSeconds = ({ child }: Target): number => readProcess(child.pid!).cpuSeconds

/** Resident memory of the process in MiB. */
export const residentMb = ({ child }: Target): number => readProcess(child.pid!).rssBytes / 2 ** 20

/** Asks for one forecast; resolves to the ms that the answer took, rejects where it is no 200. */
export function post({ port }: Target, agent: Agent, body: Buffer | string): Promise<number> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = request({ port, agent, method: 'POST', path: '/predict', headers }, response => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - began)
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

export interface Load {
  requests: number
  seconds: number
  /** latencies in ms */
  p50: number
  p99: number
  errors: Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>
}

const run = promisify(execFile)

/** A failure of wrk's that is none: it counts an answer that came late as a timeout and goes on waiting for it, which is latency. */
const LATE = 'timeout'

/** A target under wrk. Throws if any request failed, but for kinds that are `counted`: a ratio of failures says nothing. */
export async function load(target: Target, connections: number, seconds: number, ...counted: string[]): Promise<Load> {
  const { name, port } = target
  const result = await wrk(`http://127.0.0.1:${port}`, connections, seconds)
  const failed = Object.entries(result.errors).filter(
    ([kind, count]) => count > 0 && kind !== LATE && !counted.includes(kind)
  )
  if (failed.length > 0) throw new Error(`${name}: of ${result.requests} requests failed: ${failed.join('; ')}`)
  return result
}

/** wrk, one thread, the bodies of `SPEED_BODIES` in turn. */
export async function wrk(url: string, connections: number, seconds: number, ...more: string[]): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, ...more, '-s', 'scripts/speed/predict.lua', url]
  const { stdout } = await run('wrk', [...args, url])
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Load
}
