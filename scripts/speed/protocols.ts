import { execFile } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cpuSeconds, load, residentMb, SERVICE, startTarget, stopTarget, type Target } from './processes.js'
import { type Figure, median, range } from './report.js'

const run = promisify(execFile)
const PORT = 18_321
const CAP = 16
const MANY = 64
/** Callers with many windows: enough that the worker never waits for one. */
const FEW_CALLERS = 4

interface Golden {
  windows: { window: number[][] }[]
}

/** A whole request as it goes over the wire. */
function request(path: string, headers: string, body: Buffer): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: speed\r\n${headers}Content-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** The golden windows in turn, `count` of them a call, as V2's bytes for bytes. */
function v2Binary(count: number): Buffer[] {
  const { windows } = JSON.parse(readFileSync('models/gru/golden.json', 'utf8')) as Golden
  return windows.map((_, first) => {
    const values = Array.from({ length: count }, (_, at) => windows[(first + at) % windows.length]!.window)
    const bytes = Buffer.from(new Uint8Array(Float32Array.from(values.flat(2)).buffer))
    const input = { name: 'window', shape: [count, 10, 11], datatype: 'FP32' }
    const inputs = [{ ...input, parameters: { binary_data_size: bytes.length } }]
    const json = Buffer.from(JSON.stringify({ parameters: { binary_data_output: true }, inputs }))
    const headers = `Inference-Header-Content-Length: ${json.length}\r\nContent-Type: application/octet-stream\r\n`
    return request('/v2/models/gru-traffic/infer', headers, Buffer.concat([json, bytes]))
  })
}

const JSON_TYPE = 'Content-Type: application/json\r\n'

/** The same by the service's own protocol: bodies of one window, or arrays of them. */
function own(bodies: readonly Buffer[], count: number): Buffer[] {
  if (count === 1) return bodies.map(body => request('/predict', JSON_TYPE, body))
  return bodies.map((_, first) => {
    const many = Array.from({ length: count }, (_, at) => bodies[(first + at) % bodies.length]!.toString())
    return request('/predict/batch', JSON_TYPE, Buffer.from(`[${many.join()}]`))
  })
}

export interface ProtocolOptions {
  rounds: number
  seconds: number
  /** gets a line of JSON for each sample */
  raw?: string | undefined
}

interface Sample {
  way: string
  windows: number
  connections: number
  round: number
  /** answers a second */
  calls: number
  cpuUs: number
  /** MiB right after the load */
  rss: number
}

/** V2's bytes and JSON of many windows beside `/predict`, and many windows beside bare onnxruntime, all in one run. */
export async function protocols(bodies: readonly Buffer[], options: ProtocolOptions): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'speed-'))
  const target = await startTarget('service', SERVICE, PORT, { LOG_LEVEL: 'info' })
  const ways: Record<string, (count: number) => Buffer[]> = {
    predict: count => own(bodies, count),
    'v2-binary': count => v2Binary(count)
  }
  const samples: Sample[] = []
  const bare: number[] = []
  const of = async (way: string, windows: number, connections: number, round: number) => {
    const file = join(folder, 'requests')
    const requests = ways[way]!(windows)
    writeFileSync(file, Buffer.concat(requests.flatMap(one => [Buffer.from(`${one.length}\n`), one])))
    process.env.SPEED_REQUESTS = file
    const sample = await sampled(target, connections, options.seconds)
    delete process.env.SPEED_REQUESTS
    if (round === 0) return
    samples.push({ way, windows, connections, round, ...sample })
    if (options.raw !== undefined) {
      appendFileSync(options.raw, `${JSON.stringify({ node: process.version, ...samples.at(-1) })}\n`)
    }
  }
  for (let round = 0; round <= options.rounds; round++) {
    for (const connections of [50, 200]) for (const way of Object.keys(ways)) await of(way, 1, connections, round)
    for (const way of Object.keys(ways)) await of(way, MANY, FEW_CALLERS, round)
    const args = ['scripts/speed/peers/bare-batches.mjs', String(CAP), String(options.seconds)]
    const { rowsPerSecond } = JSON.parse((await run(process.execPath, args)).stdout) as { rowsPerSecond: number }
    if (round > 0) bare.push(rowsPerSecond)
  }
  await stopTarget(target)
  rmSync(folder, { recursive: true })
  return [...[50, 200].flatMap(count => besidePredict(samples, count)), ...manyWindows(samples, bare)]
}

async function sampled(target: Target, connections: number, seconds: number) {
  const before = cpuSeconds(target)
  const { requests, seconds: took } = await load(target, connections, seconds)
  const cpuUs = ((cpuSeconds(target) - before) / requests) * 1e6
  return { calls: requests / took, cpuUs, rss: residentMb(target) }
}

const those = (samples: readonly Sample[], way: string, windows: number, connections: number) =>
  samples.filter(one => one.way === way && one.windows === windows && one.connections === connections)

function besidePredict(samples: readonly Sample[], connections: number): Figure[] {
  const v2 = those(samples, 'v2-binary', 1, connections)
  const predict = those(samples, 'predict', 1, connections)
  const figure = (what: string, read: (one: Sample) => number, bar: Figure['bar']): Figure => {
    const ratios = v2.map((one, index) => read(one) / read(predict[index]!))
    const [ours, theirs] = [v2, predict].map(some => median(some.map(read)).toFixed(0))
    return { what, value: median(ratios), bar, detail: `${ours} to ${theirs}; rounds ${range(ratios)}` }
  }
  return [
    figure(`V2 in bytes, requests/s, ${connections} connections, to /predict`, one => one.calls, { least: 1 }),
    figure(`V2 in bytes, CPU a request, ${connections} connections, to /predict`, one => one.cpuUs, { most: 1 })
  ]
}

function manyWindows(samples: readonly Sample[], bare: readonly number[]): Figure[] {
  const bars: Record<string, number> = { 'v2-binary': 0.85, predict: 0.7 }
  return Object.entries(bars).map(([way, least]) => {
    const ratios = those(samples, way, MANY, FEW_CALLERS).map(({ calls }, index) => (calls * MANY) / bare[index]!)
    const forecasts = median(those(samples, way, MANY, FEW_CALLERS).map(({ calls }) => calls * MANY)).toFixed(0)
    const called = way === 'predict' ? '/predict/batch' : 'V2 in bytes'
    return {
      what: `${called}, ${MANY} windows a call, forecasts/s, to bare onnxruntime at batch ${CAP}`,
      value: median(ratios),
      bar: { least },
      detail: `${forecasts} to ${median(bare).toFixed(0)} rows a second; rounds ${range(ratios)}`
    }
  })
}
