import { faultAt } from '../fields.js'
import { atLine, type CsvLine, csvLines } from './csv-lines.js'
import type { FrameBounds } from './frame-bounds.js'
import type { Frame } from './frame.js'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
/** How pandas and its readers write a value that is missing. */
const MISSING = new Set(['', 'nan', 'NaN', 'NA', '<NA>', 'NaT', 'null', 'NULL', 'None', 'N/A', 'n/a'])
/** Of the frame's index, which has no name as a rule. */
const INDEX_NAME = ''

/**
 * A frame as `DataFrame.to_csv()` writes it: commas, a head with the names, quotes where needed. A column without a name is the
 * frame's index.
 * @throws ServiceError that tells the line
 */
export function csvFrame(text: string, bounds: FrameBounds): Frame {
  const [head, ...rows] = csvLines(text.replace(/^\uFEFF/, ''), bounds)
  if (head === undefined) throw faultAt([], 'too_few_rows', 'the body has no line')
  const names = namesOf(head)
  for (const { line, cells } of rows) {
    if (cells.length === names.length) continue
    const message = `expected ${names.length} values, one per column, got ${cells.length}`
    throw faultAt([atLine(line)], 'ragged_columns', message)
  }
  const columns = new Map(names.map((name, at) => [name, rows.map(({ cells }) => valueOf(cells[at]!))]))
  const index = columns.get(INDEX_NAME)
  columns.delete(INDEX_NAME)
  const place = (row: number | undefined) => atLine(row === undefined ? head.line : rows[row]!.line)
  return {
    columns,
    index,
    origin: (column, row) => (column === undefined ? [place(row)] : [place(row), column]),
    indexAt: row => [place(row)]
  }
}

function namesOf({ line, cells }: CsvLine): readonly string[] {
  for (const [at, name] of cells.entries()) {
    if (cells.indexOf(name) !== at) {
      throw faultAt([atLine(line), name], 'duplicate_key', 'the frame has two columns of this name')
    }
  }
  return cells
}

/** A number where the cell is one; a missing value is null, as in pandas' JSON; all else stays text. */
function valueOf(cell: string): number | string | null {
  const text = cell.trim()
  if (MISSING.has(text)) return null
  return NUMBER.test(text) ? Number(text) : text
}
