/** A forecast row: of each feature its value, and how far from it an answer may be. */
export type ExpectedRow = Record<string, readonly [value: number, allowed: number]>

/** What must come back for a body. */
export interface Expectation {
  /** the version that must have answered; any, where it is left out */
  version?: string
  /** the first rows of the forecast; an answer may have more, but not fewer */
  rows: readonly ExpectedRow[]
}

/** What is read of an answer of `POST /predict`. */
interface Answer {
  model_version?: unknown
  predictions?: (Record<string, unknown> | null)[]
}

/** Whether an answer's text is the expected forecast. Anything that cannot be read is not. */
export const isExpected = (text: string, expectation: Expectation): boolean => isForecast(parsed(text), expectation)

/** The value of a JSON text; undefined where the text is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a value that was read is the expected forecast. */
export function isForecast(value: unknown, { version, rows }: Expectation): boolean {
  const answer = value as Answer | null | undefined
  if (version !== undefined && answer?.model_version !== version) return false
  const predictions = answer?.predictions
  if (!Array.isArray(predictions)) return false
  return rows.every((row, step) => isRow(predictions[step], row))
}

function isRow(got: Record<string, unknown> | null | undefined, want: ExpectedRow): boolean {
  return Object.entries(want).every(([feature, expected]) => isNear(got?.[feature], expected))
}

/** Whether a value is a number as near to the expected one as is allowed; never where none is expected. */
export function isNear(value: unknown, expected: ExpectedRow[string] | undefined): boolean {
  return typeof value === 'number' && expected !== undefined && Math.abs(value - expected[0]) <= expected[1]
}
