import { type GoldenBundle, goldenBodies, payloadBodies, readGolden } from './bodies.js'
import type { Expectation, ExpectedRow } from './expected.js'
import { post } from './post.js'

/** How far an answer under load may be from the one that the same body got alone; a batch's company makes 1e-6. */
const RELATIVE = 1e-5
/** Values smaller than this are held to be as far off as this one may be. */
const SMALLEST = 1e-12

/** A body and what must come back for it. */
export interface Case extends Expectation {
  body: string
}

export interface CaseOptions {
  /** of the service, without a path */
  url: string
  /** a .json or .jsonl file of bodies; the golden windows of models/gru when it is left out */
  payload?: string | undefined
  /** rows to be forecast */
  steps: number
  /** the model that must answer; its digest tells whether the golden answers are its own */
  served: { digest: string; version: string }
}

/**
 * What the load sends, and how its answers are checked. For golden windows of the model that is served, one step ahead,
 * the trainer's own forecasts are expected, within the bundle's tolerance. For anything else each body is sent once,
 * alone, before the load; its answer under load must be the same.
 * @throws BenchError `bad_flag` for a payload that cannot be read or is refused, `target_down` when nobody answers
 */
export async function loadCases({ url, payload, steps, served }: CaseOptions): Promise<Case[]> {
  if (payload !== undefined) return ask(url, await payloadBodies(payload, steps), served.version)
  const bundle = await readGolden()
  const bodies = goldenBodies(bundle, steps)
  if (steps > 1 || served.digest !== bundle.manifest.sha256) return ask(url, bodies, served.version)
  return bodies.map((body, index) => ({ body, version: bundle.manifest.version, rows: [goldenRow(bundle, index)] }))
}

function goldenRow({ manifest, golden }: GoldenBundle, index: number): ExpectedRow {
  const { relative, absolute } = golden.tolerance
  const { forecast } = golden.windows[index]!
  return Object.fromEntries(
    manifest.features.map(({ name }, feature) => {
      const value = forecast[feature]!
      return [name, [value, Math.max(Math.abs(value) * relative, absolute[feature]!)]]
    })
  )
}

/** One after the other: each is alone in its batch. */
async function ask(url: string, bodies: readonly string[], version: string): Promise<Case[]> {
  const cases: Case[] = []
  for (const [index, body] of bodies.entries()) {
    const answer = await post(`${url}/predict`, { body }, `body ${index + 1} of ${bodies.length}`)
    cases.push({ body, version, rows: rowsOf(answer.body.toString()) })
  }
  return cases
}

function rowsOf(text: string): ExpectedRow[] {
  const { predictions } = JSON.parse(text) as { predictions: Record<string, unknown>[] }
  return predictions.map(row =>
    Object.fromEntries(
      Object.entries(row).flatMap(([feature, value]) =>
        typeof value === 'number' ? [[feature, [value, RELATIVE * Math.max(Math.abs(value), SMALLEST)] as const]] : []
      )
    )
  )
}
