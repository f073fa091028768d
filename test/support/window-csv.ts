import { gru } from './bundles.js'

const { manifest, golden } = gru()
/** The features of the model, in its order. */
export const NAMES = manifest.features.map(({ name }) => name)
/** A golden window, its times and what the trainer forecast. */
export const WINDOW = golden.windows[3]!

/** The window as a CSV; `change` may make another field of row and column, both from 0. */
export function windowCsv(
  between: string,
  change = (field: string, _row: number, _column: number): string => field
): string {
  const rows = WINDOW.time.map((ts, row) =>
    [ts, ...WINDOW.window[row]!].map((field, column) => change(String(field), row, column))
  )
  return [['ts', ...NAMES], ...rows].map(fields => fields.join(between)).join('\n')
}

/** The window with commas and another text in one field, both counted from 0. */
export const withField = (text: string, row: number, column: number) =>
  windowCsv(',', (field, ofRow, ofColumn) => (ofRow === row && ofColumn === column ? text : field))
