import { isObject, parseRequest } from './body.js'
import { Unreadable } from './unreadable.js'
/** @import { Json } from './body.js' */
/** @import { RawRow, RawTable } from './table.js' */

/**
 * A table in a form of pandas' `to_json` (`columns`, `records`, `split`, `index`, `table`) or of `to_dict("list")`;
 * undefined for any other JSON. An index that has no name is a column without one.
 * @param {unknown} value
 * @param {string[]} features of the model, which tell columns from rows
 * @returns {RawTable | undefined}
 */
export function readPandas(value, features) {
  if (Array.isArray(value)) return ofRecords(value)
  if (!isObject(value)) return undefined
  const { columns, index, data, schema } = value
  if (isObject(schema) && Array.isArray(data)) return ofRecords(data)
  if (Array.isArray(columns) && Array.isArray(data)) return ofSplit(columns, Array.isArray(index) ? index : [], data)
  const [first, ...others] = Object.values(value)
  if (Array.isArray(first) && others.every(Array.isArray))
    return ofLists(/** @type {Record<string, unknown[]>} */ (value))
  if (!isObject(first) || !others.every(isObject)) return undefined
  const objects = /** @type {Record<string, Json>} */ (value)
  return features.some(name => name in objects) ? ofColumns(objects) : ofRows(Object.entries(objects))
}

/** @param {string[]} names @param {(() => unknown[])[]} rows @returns {RawTable} */
const table = (names, rows) => ({
  head: 'The table',
  names,
  rows: rows.map((cells, row) => /** @type {RawRow} */ ({ place: `Row ${row + 1}`, cells })),
  decimalComma: false
})

/** @param {unknown[]} records */
function ofRecords(records) {
  if (records.length === 0 || !records.every(isObject)) return undefined
  const names = Object.keys(records[0] ?? {})
  return table(
    names,
    records.map(record => () => names.map(name => record[name]))
  )
}

/** A table of which each line is a record. A line is read only when it is asked for. @param {string[]} lines @returns {RawTable} */
export function readLines(lines) {
  const names = Object.keys(objectOf(lines[0] ?? '', 0))
  const rows = lines.map((line, index) => () => {
    const record = objectOf(line, index)
    return names.map(name => record[name])
  })
  return table(names, rows)
}

/** @param {string} line @param {number} index from 0 @returns {Json} */
export function objectOf(line, index) {
  const value = parseRequest(line)
  if (isObject(value)) return value
  throw new Unreadable(`Line ${index + 1} is not a JSON object.`)
}

/** @param {unknown[]} columns @param {unknown[]} index @param {unknown[]} data */
const ofSplit = (columns, index, data) =>
  table(
    ['', ...columns.map(String)],
    data.map((row, place) => () => [index[place], ...(Array.isArray(row) ? row : [])])
  )

/** @param {Record<string, unknown[]>} lists */
function ofLists(lists) {
  const length = Math.max(...Object.values(lists).map(list => list.length))
  return table(
    Object.keys(lists),
    Array.from({ length }, (_, row) => () => Object.values(lists).map(list => list[row]))
  )
}

/** @param {Record<string, Json>} columns */
function ofColumns(columns) {
  const [first = {}] = Object.values(columns)
  return table(
    ['', ...Object.keys(columns)],
    Object.keys(first).map(key => () => [key, ...Object.values(columns).map(column => column[key])])
  )
}

/** @param {[string, Json][]} rows each with its index */
function ofRows(rows) {
  const names = Object.keys(rows[0]?.[1] ?? {})
  return table(
    ['', ...names],
    rows.map(([index, row]) => () => [index, ...names.map(name => row[name])])
  )
}
