import { faultAt } from '../fields.js'

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

/**
 * The lines of a text with commas between cells (RFC 4180), without those that are empty.
 * @throws ServiceError where a quote is not closed or stands inside a cell without quotes
 */
export function csvLines(text: string): CsvLine[] {
  const lines: CsvLine[] = []
  let line = 1
  for (let at = 0; at < text.length;) {
    const from = at
    const begun = line
    const cells: string[] = []
    do {
      if (cells.length > 0) at++
      CELL.lastIndex = at
      const [all, quoted, plain] = CELL.exec(text)!
      at += all.length
      line += quoted === undefined ? 0 : breaksIn(quoted)
      cells.push(quoted?.replaceAll('""', '"') ?? plain!)
    } while (text[at] === ',')
    const isEmpty = at === from
    LINE_END.lastIndex = at
    const end = LINE_END.exec(text)
    if (end === null && at < text.length) {
      throw faultAt([atLine(begun), cells.length - 1], 'bad_request', 'the quotes of a cell do not match')
    }
    at += end?.[0].length ?? 0
    line++
    if (!isEmpty) lines.push({ line: begun, cells })
  }
  return lines
}

function breaksIn(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0
}
