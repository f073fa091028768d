import { faultAt } from '../fields.js'
import { type FrameBounds, refuseColumns } from './frame-bounds.js'

/** A line of a CSV text. */
export interface CsvLine {
  /** its number, from 1, as editors count */
  readonly line: number
  readonly cells: readonly string[]
}

/** Where a line stands, in the words that errors have for it. */
export const atLine = (line: number) => `line ${line}`

/** A cell up to its end: in quotes, which stand twice inside, or without any. */
const CELL = /"((?:[^"]|"")*)"|([^",\r\n]*)/y
const LINE_END = /\r\n|\n|\r/y
const EMPTY_LINES = /[\r\n]+/y

/**
 * The lines of a text with commas between cells (RFC 4180), without those that are empty.
 * @throws ServiceError where a quote is not closed or stands inside a cell without quotes, or where the table is too long or too wide
 */
export function csvLines(text: string, bounds: FrameBounds): CsvLine[] {
  const lines: CsvLine[] = []
  let line = 1
  for (let at = 0; at < text.length;) {
    EMPTY_LINES.lastIndex = at
    const empty = EMPTY_LINES.exec(text)?.[0] ?? ''
    at += empty.length
    line += breaksIn(empty)
    if (at === text.length) break
    // The head is no row.
    if (lines.length > bounds.rows) {
      throw faultAt([atLine(line)], 'too_many_rows', `expected at most ${bounds.rows} rows`)
    }
    const begun = line
    const cells: string[] = []
    do {
      if (cells.length > 0) at++
      CELL.lastIndex = at
      const [all, quoted, plain] = CELL.exec(text)!
      at += all.length
      line += quoted === undefined ? 0 : breaksIn(quoted)
      cells.push(quoted?.replaceAll('""', '"') ?? plain!)
      refuseColumns(cells.length, bounds, [atLine(begun)])
    } while (text[at] === ',')
    LINE_END.lastIndex = at
    const end = LINE_END.exec(text)
    if (end === null && at < text.length) {
      throw faultAt([atLine(begun), cells.length - 1], 'bad_request', 'the quotes of a cell do not match')
    }
    at += end?.[0].length ?? 0
    line++
    lines.push({ line: begun, cells })
  }
  return lines
}

function breaksIn(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0
}
