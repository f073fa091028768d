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
export function isExpected(text: string, { version, rows }: Expectation): boolean {
  let answer: Answer | null
  try {
    answer = JSON.parse(text) as Answer | null
  } catch {
    return false
  }
  if (version !== undefined && answer?.model_version !== version) return false
  const predictions = answer?.predictions
  if (!Array.isArray(predictions)) return false
  return rows.every((row, step) => isRow(predictions[step], row))
}

function isRow(got: Record<string, unknown> | null | undefined, want: ExpectedRow): boolean {
  return Object.entries(want).every(([feature, [value, allowed]]) => {
    const number = got?.[feature]
    return typeof number === 'number' && Math.abs(number - value) <= allowed
  })
}
