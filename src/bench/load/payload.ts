import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BenchError, reasonOf } from '../errors.js'
import type { ExpectedRow, Expectation } from './expected.js'

/** The bundle whose golden windows are sent when no other bodies are named: real ones, each with the trainer's forecast. */
const BUNDLE = 'models/gru'
/** How far a forecast under load may be from the same target's own one without load, relative: the bound for batching. */
const SAME_TARGET = 1e-5
/** Ms that one forecast without load may take. */
const TIMEOUT_MS = 30_000

/** What a load sends, and what must come back. */
export interface Payload {
  bodies: string[]
  /** aligned with `bodies` */
  expected: Expectation[]
  /** sha256 of the bodies in their order */
  digest: string
}

export interface PayloadOrder {
  /** .json with one body, or .jsonl with one a line; the golden windows when it is left out */
  file: string | undefined
  /** `inference_length`; 1 leaves a file's bodies as they are */
  steps: number
  /** where forecasts are asked for */
  url: string
  /** the model that serves there */
  model: { digest: string; version: string }
}

interface Golden {
  tolerance: { relative: number; absolute: number[] }
  windows: { time: string[]; window: number[][]; forecast: number[] }[]
}
interface Manifest {
  sha256: string
  features: { name: string }[]
}

/**
 * Reads the bodies and finds out what must come back for each of them: for golden windows the trainer's own forecast,
 * where the target serves that very model; else what the target itself answers now, one request at a time.
 * @throws BenchError `bad_flag` for a file that is not what it should be or that the target refuses, `target_down`
 */
export async function readPayload({ file, steps, url, model }: PayloadOrder): Promise<Payload> {
  const bundle = await readBundle()
  const bodies = (file === undefined ? goldenBodies(bundle) : await readBodies(file)).map(body =>
    withSteps(body, steps)
  )
  const isGolden = file === undefined && steps === 1 && bundle.manifest.sha256 === model.digest
  const expected = isGolden ? goldenForecasts(bundle, model.version) : await ownForecasts(url, bodies, file)
  return { bodies, expected, digest: createHash('sha256').update(bodies.join('\n')).digest('hex') }
}

type Bundle = Awaited<ReturnType<typeof readBundle>>

async function readBundle(): Promise<{ golden: Golden; manifest: Manifest }> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(`${BUNDLE}/${name}`, 'utf8'))
  const [golden, manifest] = await Promise.all([read('golden.json'), read('model.json')])
  return { golden: golden as Golden, manifest: manifest as Manifest }
}

function goldenBodies({ golden, manifest }: Bundle): string[] {
  return golden.windows.map(({ time, window }) => {
    const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature])])
    return JSON.stringify({ index_col: 'ts', data: { ts: time, ...Object.fromEntries(columns) } })
  })
}

function goldenForecasts({ golden, manifest }: Bundle, version: string): Expectation[] {
  const { relative, absolute } = golden.tolerance
  return golden.windows.map(({ forecast }) => {
    const row: ExpectedRow = Object.fromEntries(
      manifest.features.map(({ name }, index) => {
        const value = forecast[index]!
        return [name, [value, Math.max(Math.abs(value) * relative, absolute[index]!)] as const]
      })
    )
    return { version, rows: [row] }
  })
}

async function readBodies(file: string): Promise<string[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new BenchError('bad_flag', `--payload ${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
  const bodies = file.endsWith('.jsonl') ? text.split('\n').filter(line => line.trim() !== '') : [text]
  if (bodies.length === 0) throw new BenchError('bad_flag', `--payload ${file} holds no body`)
  bodies.forEach((body, index) => {
    const value = parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
    throw new BenchError('bad_flag', `--payload ${file}: body ${index + 1} is not a JSON object`)
  })
  return bodies
}

function withSteps(body: string, steps: number): string {
  return steps === 1 ? body : JSON.stringify({ ...(JSON.parse(body) as object), inference_length: steps })
}

/** What the target answers to each body when it has nothing else to do. */
async function ownForecasts(url: string, bodies: readonly string[], file = BUNDLE): Promise<Expectation[]> {
  const expected: Expectation[] = []
  for (const [index, body] of bodies.entries()) {
    const { status, text } = await post(url, body)
    if (status !== 200) {
      throw new BenchError(
        'bad_flag',
        `${url} answers ${status} to body ${index + 1} of ${file}: ${text.slice(0, 200)}`
      )
    }
    const { model_version: version, predictions } = parse(text) as {
      model_version: string
      predictions: Record<string, unknown>[]
    }
    expected.push({ version, rows: predictions.map(ownRow) })
  }
  return expected
}

function ownRow(row: Record<string, unknown>): ExpectedRow {
  const numbers = Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(numbers.map(([name, value]) => [name, [value, Math.abs(value) * SAME_TARGET] as const]))
}

async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    return { status: answer.status, text: await answer.text() }
  } catch (cause) {
    throw new BenchError('target_down', `no forecast from ${url}: ${reasonOf(cause)}`, { cause })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
