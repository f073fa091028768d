import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { MALLOC } from '../../src/host/malloc.js'
import { NO_TELEMETRY } from '../../src/host/telemetry.js'

/** A server under load, and what its process has used. */
export interface Target {
  name: string
  port: number
  child: ChildProcess
}

const TICKS_PER_SECOND = 100 // CLK_TCK of every Linux that Node runs on
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

/** CPU seconds of the whole process so far, from /proc. */
export function cpuSeconds({ child }: Target): number {
  // Fields 14 and 15 (utime, stime), counted behind the command's closing bracket: its name may hold spaces.
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory of the process in MiB, from /proc. */
export function residentMb({ child }: Target): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024
}

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
  errors: Record<string, number>
}

const run = promisify(execFile)

/** A target under wrk. Throws if a request got no answer; those with another status than 200 are counted. */
export async function load({ name, port }: Target, connections: number, seconds: number): Promise<Load> {
  const result = await wrk(`http://127.0.0.1:${port}`, connections, seconds)
  // wrk counts an answer that came late as a timeout and goes on waiting for it: that is latency, not failure.
  const failed = Object.entries(result.errors).filter(
    ([kind, count]) => kind !== 'timeout' && kind !== 'status' && count > 0
  )
  if (failed.length > 0) throw new Error(`${name}: of ${result.requests} requests failed: ${failed.join('; ')}`)
  return result
}

/** wrk, one thread, the bodies of `SPEED_BODIES` in turn. */
export async function wrk(url: string, connections: number, seconds: number): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', 'scripts/speed/predict.lua', url]
  const { stdout } = await run('wrk', [...args, url])
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Load
}
