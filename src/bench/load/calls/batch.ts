import { isForecast, parsed } from '../expected.js'
import type { Protocol } from './protocol.js'

/** What an outcome that is an error has, and a forecast has not. */
const MARK = '"error"'
/** Characters of a code that are kept. */
const CODE_LENGTH = 40

/** `POST /predict/batch`: an array of bodies in, an array with a forecast or an error of each out. */
export const batch: Protocol = {
  path: () => '/predict/batch',
  encode: bodies => ({ body: `[${bodies.join()}]` }),
  // Most answers have no error: a search of their bytes is enough.
  failures: ({ body }) => (body.includes(MARK) ? outcomesIn(body).flatMap(codeOf) : []),
  isExpected({ body }, expected) {
    const outcomes = outcomesIn(body)
    return outcomes.length === expected.length && expected.every((one, index) => isForecast(outcomes[index], one))
  }
}

/** Of an answer that is no array: none. */
function outcomesIn(body: Buffer): unknown[] {
  const answer = parsed(body.toString())
  return Array.isArray(answer) ? answer : []
}

function codeOf(outcome: unknown): string[] {
  const error = (outcome as { error?: { code?: unknown } } | null)?.error
  return error ? [String(error.code ?? 'error').slice(0, CODE_LENGTH)] : []
}
