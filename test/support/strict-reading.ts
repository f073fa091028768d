import type { Manifest } from '../../src/model/bundle/manifest.js'

/** A table as it must be read: its window's rows, the times of its last rows, and how many steps are asked for. */
export interface StrictReading {
  rows: number[][]
  lastTime: number
  steps: number
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d(:?\d\d)?)?$/

/** Ms since the epoch, by the platform's own reader, or NaN; a date must come back as it was written. */
function timeOf(text: unknown): number {
  const match = typeof text === 'string' ? TIME.exec(text) : null
  if (!match) return NaN
  const [, year, month, day, hour, minute, seconds = ':00', , zone = 'Z'] = match
  const local = new Date(`${year}-${month}-${day}T${hour}:${minute}${seconds.slice(0, 7)}Z`)
  if (Number.isNaN(local.getTime()) || local.getUTCDate() !== Number(day) || hour === '24') return NaN
  if (zone.toUpperCase() === 'Z') return local.getTime()
  const offset = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''))
  return local.getTime() - (zone.startsWith('-') ? -1 : 1) * offset * 60_000
}

/**
 * An independent reading of a request body, as strict as the interface says: undefined for anything that must not be
 * served. It knows nothing of the service's own reader, to which tests compare it.
 */
export function readStrictly(text: string, manifest: Manifest): StrictReading | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(body) || !isObject(body.data)) return undefined
  const { data, index_col: index = namedTimes(body.data), inference_length: steps = 1, ...others } = body
  const names = manifest.features.map(({ name }) => name)
  const wellFormed =
    Object.keys(others).length === 0 &&
    Number.isInteger(steps) &&
    Number(steps) >= 1 &&
    typeof index === 'string' &&
    Object.keys(data as object)
      .sort()
      .join() === [...names, index].sort().join()
  if (!wellFormed) return undefined
  const columns = data as Record<string, unknown>
  const times = columns[index as string]
  if (!Array.isArray(times) || times.length < manifest.window) return undefined
  const ms = times.map(timeOf)
  const rising = ms.every(
    (time, row) => time > (row === 0 ? -Infinity : ms[row - 1]!) || isFiner(times, row, time === ms[row - 1])
  )
  const legal = manifest.features.every(({ name, minimum, maximum = Infinity }) => {
    const column = columns[name]
    return (
      Array.isArray(column) &&
      column.length === times.length &&
      column.every(
        value =>
          typeof value === 'number' && value >= minimum && value <= maximum && Number.isFinite(Math.fround(value))
      )
    )
  })
  if (!rising || !legal) return undefined
  const rows = times.map((_, row) => names.map(name => (columns[name] as number[])[row]!)).slice(-manifest.window)
  return { rows, lastTime: ms.at(-1)!, steps: Number(steps) }
}

/** Whether a time is later than the one before by the digits below its millisecond alone. */
function isFiner(times: unknown[], row: number, sameMs: boolean): boolean {
  const below = (text: unknown) => (TIME.exec(String(text))?.[7] ?? '.').padEnd(10, '0').slice(4)
  return sameMs && below(times[row]) > below(times[row - 1])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function namedTimes(data: Record<string, unknown>): string | undefined {
  return ['ts', 'timestamp', 'time', 'date'].find(name => Object.hasOwn(data, name))
}
