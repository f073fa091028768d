import { Unreadable } from './unreadable.js'
/** @import { RawTable } from './table.js' */

const MARKS = { ',': 'commas', ';': 'semicolons', '\t': 'tabs' }

/**
 * Reads a CSV: a header line, then one line a row, with commas, semicolons or tabs between values. Quoted values may hold all of these and
 * line ends. Blank lines say nothing. Values are split only when a row is asked for them: most rows of a long file never are.
 * @param {string} text
 * @returns {RawTable}
 */
export function readCsv(text) {
  const [head, ...records] = recordsOf(text).filter(({ text }) => /[^\s,;"]/.test(text))
  if (!head) throw new Unreadable('There is nothing in it: expected a header line, and a line for each row.')
  const delimiter = delimiterOf(head)
  const names = fieldsOf(head.text, delimiter)
  const rows = records.map(({ line, text }) => ({
    place: `Line ${line}`,
    cells() {
      const fields = fieldsOf(text, delimiter)
      if (fields.length === names.length) return fields
      throw new Unreadable(
        `Line ${line} has ${count(fields.length, 'value')}, but the header names ${count(names.length, 'column')}.` +
          (delimiter === ',' && fields.length > names.length
            ? ' Numbers with a decimal comma need semicolons between values.'
            : '')
      )
    }
  }))
  return { head: `Line ${head.line}`, names, rows, between: MARKS[delimiter], decimalComma: delimiter !== ',' }
}

/** @typedef {{ line: number, text: string }} Line the line on which it begins, from 1 */

/** The lines of a text; one that ends within quotes goes on with the next. @param {string} text @returns {Line[]} */
function recordsOf(text) {
  const lines = text.split(/\r\n|\n|\r/).map((text, index) => ({ line: index + 1, text }))
  if (!text.includes('"')) return lines
  const records = []
  /** @type {Line[]} */
  let open = []
  for (const line of lines) {
    const flips = line.text.split('"').length % 2 === 0
    if (open.length > 0 || flips) open.push(line)
    else records.push(line)
    if (open.length > 0 && flips && open[0] !== line) {
      records.push({ line: open[0]?.line ?? 0, text: open.map(({ text }) => text).join('\n') })
      open = []
    }
  }
  if (open[0]) throw new Unreadable(`Line ${open[0].line}: a quote (") is opened and never closed.`)
  return records
}

/** What stands most often between the names. @param {Line} head */
function delimiterOf({ line, text }) {
  const bare = text.replace(/"[^"]*"/g, '')
  const counts = /** @type {(keyof typeof MARKS)[]} */ (Object.keys(MARKS)).map(mark => ({
    mark,
    count: bare.split(mark).length - 1
  }))
  const most = counts.reduce((most, one) => (one.count > most.count ? one : most))
  if (most.count > 0) return most.mark
  throw new Unreadable(
    `Line ${line} has no comma, semicolon or tab: expected a header line with the names of the columns, and one of these between them.`
  )
}

/** @param {string} text of one record @param {string} delimiter */
function fieldsOf(text, delimiter) {
  if (!text.includes('"')) return text.split(delimiter).map(field => field.trim())
  const pattern = new RegExp(` *"([^"]*(?:""[^"]*)*)" *(?=${delimiter}|$)|([^${delimiter}]*)`, 'y')
  const fields = []
  for (let at = 0; at <= text.length; at = pattern.lastIndex + 1) {
    pattern.lastIndex = at
    const [, quoted, plain = ''] = pattern.exec(text) ?? []
    fields.push((quoted === undefined ? plain : quoted.replaceAll('""', '"')).trim())
  }
  return fields
}

/** @param {number} number @param {string} noun */
const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`
