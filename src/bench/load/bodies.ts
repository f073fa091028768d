import { readFile } from 'node:fs/promises'
import { BenchError, reasonOf } from '../errors.js'

/** The bundle in this repository, whose golden windows are the bodies when no payload is given. */
const BUNDLE = 'models/gru'

/** A forecast request as `POST /predict` takes it. */
type Body = Record<string, unknown>

/** A golden window with the trainer's own forecast of the next row, in the order of the features. */
interface GoldenWindow {
  time: string[]
  window: number[][]
  forecast: number[]
}

/** What is read of a bundle's model.json and golden.json (docs/model-bundle.md). */
export interface GoldenBundle {
  manifest: { version: string; sha256: string; features: { name: string }[] }
  golden: { tolerance: { relative: number; absolute: number[] }; windows: GoldenWindow[] }
}

/** @throws BenchError `bad_flag` when there is no bundle in the folder */
export async function readGolden(folder = BUNDLE): Promise<GoldenBundle> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readText(`${folder}/${name}`))
  return {
    manifest: (await read('model.json')) as GoldenBundle['manifest'],
    golden: (await read('golden.json')) as GoldenBundle['golden']
  }
}

/** The golden windows as request bodies, for `steps` rows to be forecast. */
export function goldenBodies({ manifest, golden }: GoldenBundle, steps: number): string[] {
  return golden.windows.map(({ time, window }) => {
    const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature])])
    return encode({ index_col: 'ts', data: { ts: time, ...Object.fromEntries(columns) } }, steps)
  })
}

/**
 * Bodies of a `.jsonl` file (one a line) or of a `.json` file (one), for `steps` rows to be forecast.
 * @throws BenchError `bad_flag` that names the line which is no JSON object
 */
export async function payloadBodies(file: string, steps: number): Promise<string[]> {
  const text = await readText(file)
  const isLines = file.endsWith('.jsonl')
  const bodies = (isLines ? text.split('\n') : [text]).flatMap((part, index) => {
    if (part.trim() === '') return []
    return encode(parseBody(part, isLines ? `${file}:${index + 1}` : file), steps)
  })
  if (bodies.length === 0) throw new BenchError('bad_flag', `${file} holds no body`)
  return bodies
}

/** One step is what a service gives when nothing is said; a body that says it otherwise keeps it. */
function encode(body: Body, steps: number): string {
  return JSON.stringify(steps > 1 ? { ...body, inference_length: steps } : body)
}

function parseBody(text: string, where: string): Body {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new BenchError('bad_flag', `${where} is no JSON: ${reasonOf(cause)}`, { cause })
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BenchError('bad_flag', `${where} is no JSON object`)
  return body as Body
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new BenchError('bad_flag', `cannot read ${file}: ${reasonOf(cause)}`, { cause })
  }
}
