import { type Row } from '../analysis/figures.js'
import { mean, type Estimate } from '../analysis/statistics.js'
import { details } from './details.js'
import type { Phase } from './markdown.js'

/** A line chart over numbers of replicas. */
export interface Chart {
  title: string
  unit: string
  /** numbers of replicas, in order */
  replicas: number[]
  /** a line each; null where there is no figure */
  series: { name: string; values: (number | null)[] }[]
}

/** The charts of one phase: throughput and batch size by users, latency and CPU for each number of users. */
export function phaseCharts({ rows }: Phase): Chart[] {
  const replicas = [...new Set(rows.map(row => row.replicas))].toSorted((a, b) => a - b)
  const users = [...new Set(rows.map(row => row.users))].toSorted((a, b) => a - b)
  const line = (name: string, of: (row: Row) => number | null, count: number) => ({
    name,
    values: replicas.map(value => {
      const row = rows.find(row => row.replicas === value && row.users === count)
      return row ? of(row) : null
    })
  })
  const byUsers = (title: string, unit: string, of: (row: Row) => number | null): Chart => ({
    title,
    unit,
    replicas,
    series: users.map(count => line(`${count} users`, of, count))
  })
  const forUsers = (title: string, unit: string, lines: [name: string, of: (row: Row) => number | null][]): Chart[] =>
    users.map(count => ({
      title: `${title}, ${count} users`,
      unit,
      replicas,
      series: lines.map(([name, of]) => line(name, of, count))
    }))
  return [
    byUsers('Throughput', 'req/s', row => row.rps.median),
    byUsers('Rows a batch', 'rows', row => meanOf(row, cell => details(cell).batchRows)),
    ...forUsers('Latency', 'ms', [
      ['Median', row => medianOf(row.p50Ms)],
      ['P95', row => medianOf(row.p95Ms)],
      ['P99', row => medianOf(row.p99Ms)]
    ]),
    ...forUsers('CPU', 'cores', [
      ['Replicas', row => meanOf(row, cell => details(cell).cores.replicas)],
      ['HAProxy', row => meanOf(row, cell => details(cell).cores.haproxy)],
      ['Generator', row => meanOf(row, cell => details(cell).cores.generator)]
    ])
  ]
}

const medianOf = (estimate: Estimate | null): number | null => estimate && estimate.median

function meanOf({ cells }: Row, of: (cell: Row['cells'][number]) => number | null): number | null {
  const values = cells.map(of).filter(value => value !== null)
  return values.length === 0 ? null : mean(values)
}
