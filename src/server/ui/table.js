import { looksLikeTime, NumberReader, readName, TimeReader } from './cells.js'
import { Unreadable } from './unreadable.js'
/** @import { Limits, Model } from './api.js' */
/** @import { Json } from './body.js' */

/** @typedef {{ place: string, cells: () => unknown[] }} RawRow where it stands, and its cells in the order of the names */
/**
 * A table as it was given. `head`: where its names stand; `between`: what stands between values, where that is told by the text.
 * @typedef {{ head: string, names: string[], rows: RawRow[], between?: string, decimalComma: boolean }} RawTable
 */
/** @typedef {{ name: string, body: Json }} NamedWindow the name is that of a cell, or empty */
/** @typedef {{ name: string, index: number }} Column */

/** Names that a column of times has, and one that says of which cell a row is; compared as `plain` writes them. */
const TIME_NAMES = ['ts', 'timestamp', 'time', 'date', 'datetime']
const CELL_NAMES = ['cell', 'cellid', 'cellname', 'uniqueid', 'itemid', 'seriesid', 'series', 'site', 'window']
const INDEX_NAME = /^(index|unnamed0)?$/

/** @param {string} name */
const plain = name => name.toLowerCase().replace(/[\s_:.-]/g, '')

/**
 * The windows of a table: one, or one for each cell where a column says of which cell a row is.
 * @param {RawTable} table
 * @param {Model} model
 * @param {Limits} limits
 * @returns {{ windows: NamedWindow[], isBatch: boolean, note: string }} the note says what was read and what was left out
 * @throws {Unreadable}
 */
export function windowsOf(table, model, limits) {
  const columns = table.names.map((name, index) => ({ name: name.trim(), index }))
  checkNames(columns, table.head, model)
  const others = columns.filter(({ name }) => model.features.every(feature => feature.name !== name))
  if (table.rows.length === 0) throw new Unreadable('The table has names, but no rows.')
  const times = timeColumn(others, table)
  const cell = others.find(({ name }) => CELL_NAMES.includes(plain(name)))
  const groups = cell ? groupsOf(table, cell, limits.windows) : new Map([['', table.rows]])
  const isBatch = groups.size > 1
  if (!isBatch && table.rows.length < model.window)
    throw new Unreadable(`The table has ${table.rows.length} rows, but a window of the model has ${model.window}.`)
  const most = isBatch ? model.window : limits.rows
  const reader = new WindowReader(table, model, { times, cell })
  const windows = Array.from(groups, ([name, rows]) => ({ name, body: reader.read(rows.slice(-most)) }))
  const left = others.filter(column => column !== times && column !== cell && column.name !== '')
  return { windows, isBatch, note: noteOf(table, { groups, most, left, reader }) }
}

/** @param {Column[]} columns @param {string} head @param {Model} model */
function checkNames(columns, head, { features }) {
  const seen = new Map()
  for (const { name, index } of columns) {
    if (name !== '' && seen.has(name))
      throw new Unreadable(`${head}: the name ${name} stands twice, in columns ${seen.get(name) + 1} and ${index + 1}.`)
    seen.set(name, index)
  }
  const missing = features.map(({ name }) => name).filter(name => !seen.has(name))
  if (missing.length === features.length)
    throw new Unreadable(
      `${head} names no feature of the model: expected a column of times, and ${missing.join(', ')}.`
    )
  if (missing.length > 0)
    throw new Unreadable(
      `${head}: the model needs ${missing.length === 1 ? 'a column' : 'columns'} ${missing.join(', ')}.`
    )
}

/** By its name, else by what stands in it. @param {Column[]} others @param {RawTable} table */
function timeColumn(others, { head, rows }) {
  const named = TIME_NAMES.map(name => others.find(column => plain(column.name) === name)).find(Boolean)
  if (named) return named
  const first = rows[0]?.cells() ?? []
  const found = others.find(({ name, index }) => looksLikeTime(first[index], INDEX_NAME.test(plain(name))))
  if (found) return found
  throw new Unreadable(`${head}: a column of times is missing. Call it ts, timestamp, time or date.`)
}

/** @param {RawTable} table @param {Column} cell @param {number} most */
function groupsOf({ rows }, cell, most) {
  /** @type {Map<string, RawRow[]>} */
  const groups = new Map()
  for (const row of rows) {
    const name = readName(row.cells()[cell.index], row.place, cell.name)
    const group = groups.get(name)
    if (group) group.push(row)
    else groups.set(name, [row])
    if (groups.size > most)
      throw new Unreadable(
        `${row.place}, column ${cell.name}: more than ${most} cells, the most for one call (MAX_WINDOWS).`
      )
  }
  return groups
}

/** Makes the bodies of `POST /predict` from rows of a table. */
class WindowReader {
  /** @type {string | undefined} */
  epoch

  /** @param {RawTable} table @param {Model} model @param {{ times: Column, cell: Column | undefined }} columns */
  constructor(table, model, { times, cell }) {
    this.times = times
    this.numbers = new NumberReader(table.decimalComma)
    this.hint = cell ? '' : ' A column that says of which cell a row is must be called cell.'
    this.features = model.features.map(feature => ({
      feature,
      index: table.names.findIndex(name => name.trim() === feature.name)
    }))
  }

  /** @param {RawRow[]} rows @returns {Json} */
  read(rows) {
    const name = this.times.name || 'ts'
    const times = new TimeReader(name, this.hint)
    /** @type {string[]} */
    const texts = []
    const values = this.features.map(() => /** @type {number[]} */ ([]))
    for (const { place, cells } of rows) {
      const row = cells()
      texts.push(times.read(row[this.times.index], place))
      this.features.forEach(({ feature, index }, at) => values[at]?.push(this.numbers.read(row[index], place, feature)))
    }
    this.epoch = times.epoch
    const columns = this.features.map(({ feature }, at) => [feature.name, values[at]])
    return { index_col: name, data: Object.fromEntries([[name, texts], ...columns]) }
  }
}

/**
 * @param {RawTable} table
 * @param {{ groups: Map<string, RawRow[]>, most: number, left: Column[], reader: WindowReader }} read
 */
function noteOf({ rows, between }, { groups, most, left, reader }) {
  const count = `${rows.length.toLocaleString('en')} rows`
  const marks = [between && `${between} between values`, reader.numbers.marks.comma && 'decimal commas'].filter(Boolean)
  const taken =
    groups.size > 1
      ? `The last ${most} rows of each of ${groups.size} cells are sent.`
      : rows.length > most &&
        `Only the last ${most.toLocaleString('en')} are sent, the most for one request (MAX_ROWS).`
  const notes = [
    `Read ${[count, ...marks].join(', ')}.`,
    taken,
    reader.epoch && `Times were ${reader.epoch} since 1970.`,
    left.length > 0 && `Left out, as the model has no such feature: ${left.map(({ name }) => name).join(', ')}.`
  ]
  return notes.filter(Boolean).join(' ')
}
