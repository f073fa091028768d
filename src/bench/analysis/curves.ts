import type { Row } from './figures.js'

/** The same users at growing numbers of replicas: what a claim about scaling is judged by. */
export interface Curve {
  name: string
  phase: Row['phase']
  users: number
  loadWorkers: number
  /** by replicas, each count once */
  rows: Row[]
}

/** The curves of a run in the order of its tables; a curve may have one row only. */
export function curves(rows: readonly Row[]): Curve[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const place = [row.phase, row.loadWorkers, row.users].join('/')
    groups.set(place, [...(groups.get(place) ?? []), row])
  }
  return [...groups.values()].map(group => {
    const [{ phase, loadWorkers, users }] = group as [Row]
    const place = { 1: 'phase 1', 2: 'phase 2', standalone: 'standalone', custom: `${loadWorkers} load workers` }[phase]
    return {
      name: `${place}, ${users} users`,
      phase,
      users,
      loadWorkers,
      rows: group.toSorted((a, b) => a.replicas - b.replicas)
    }
  })
}

/** How near to the best a throughput is that counts as saturated. */
const SATURATED = 0.9

/** The first row whose RPS is within 10 % of the curve's best. */
export function saturation({ rows }: Curve): Row {
  const best = Math.max(...rows.map(({ rps }) => rps.median))
  return rows.find(({ rps }) => rps.median >= SATURATED * best)!
}
