import { readFile } from 'node:fs/promises'
import { MINIMUM_SAMPLES } from '../samples/answers.js'
import { BenchError } from '../errors.js'

/** What the locustfile calls the requests that end in the measured interval. */
const MEASURED = '/predict'
/** What Locust calls the row of all requests together. */
const ALL = 'Aggregated'

/** What Locust counted in the measured interval. Latencies are ms as Locust rounds them; null where samples are too few. */
export interface IntervalRow {
  /** answers and requests without one */
  requests: number
  /** no answer, another status than 2xx, or a wrong answer */
  failures: number
  medianMs: number | null
  p95Ms: number | null
  p99Ms: number | null
  meanMs: number | null
}

export type CsvRow = Record<string, string>

/**
 * Rows of a CSV file of Locust's by column name. Its statistics hold numbers and names that are ours: nothing is quoted.
 * @throws BenchError `bad_results` for a file that is not such a table
 */
export function parseLocustCsv(text: string, file: string): CsvRow[] {
  const bad = (what: string) => new BenchError('bad_results', `${file}: ${what}`)
  if (text.includes('"')) throw bad('a quoted field where Locust writes none')
  const [head = '', ...lines] = text.trimEnd().split(/\r?\n/)
  const names = head.split(',')
  if (!names.includes('Name')) throw bad('no headline of a table of Locust')
  return lines.map((line, index) => {
    const fields = line.split(',')
    if (fields.length !== names.length) throw bad(`line ${index + 2} has ${fields.length} of ${names.length} fields`)
    return Object.fromEntries(names.map((name, column) => [name, fields[column]!]))
  })
}

/** The counts of all requests, in and out of the interval, from the text of `*_stats.csv`. */
export function wholeRow(text: string, file: string): Pick<IntervalRow, 'requests' | 'failures'> {
  const row = parseLocustCsv(text, file).find(({ Name: name }) => name === ALL)
  if (!row) throw new BenchError('bad_results', `${file}: no row ${ALL}`)
  return { requests: numberIn(row, 'Request Count', file), failures: numberIn(row, 'Failure Count', file) }
}

/** The interval's figures from the text of `*_stats.csv`. An interval in which no request ended has no row there. */
export function intervalRow(text: string, file: string): IntervalRow {
  const row = parseLocustCsv(text, file).find(({ Name: name }) => name === MEASURED)
  if (!row) return { requests: 0, failures: 0, medianMs: null, p95Ms: null, p99Ms: null, meanMs: null }
  const read = (column: string): number => numberIn(row, column, file)
  const requests = read('Request Count')
  const enough = (samples: number, column: string): number | null => (requests >= samples ? read(column) : null)
  return {
    requests,
    failures: read('Failure Count'),
    medianMs: read('Median Response Time'),
    p95Ms: enough(MINIMUM_SAMPLES.p95, '95%'),
    p99Ms: enough(MINIMUM_SAMPLES.p99, '99%'),
    meanMs: read('Average Response Time')
  }
}

/** Fewest users that Locust had at any second between two times (ms since the epoch), from `*_stats_history.csv`. */
export function minimumUsers(text: string, file: string, { from, to }: { from: number; to: number }): number {
  const counts = parseLocustCsv(text, file)
    .filter(({ Name: name }) => name === ALL)
    // Its times are whole seconds, cut off.
    .map(row => ({ time: numberIn(row, 'Timestamp', file) * 1000, users: numberIn(row, 'User Count', file) }))
    .filter(({ time }) => time >= from && time + 1000 <= to)
    .map(({ users }) => users)
  if (counts.length === 0) throw new BenchError('bad_results', `${file}: nothing in the measured interval`)
  return Math.min(...counts)
}

/** Reads a file that Locust has written; `bad_results` when it has not. */
export async function readCsv(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(cause => {
    throw new BenchError('bad_results', `Locust wrote no ${file}`, { cause })
  })
}

function numberIn(row: CsvRow, column: string, file: string): number {
  const text = row[column]
  const value = Number(text)
  if (text === undefined || text === '' || !Number.isFinite(value)) {
    throw new BenchError('bad_results', `${file}: "${column}" of ${row.Name} is no number: ${text ?? 'no such column'}`)
  }
  return value
}
