import { isLoadLimited, type Row } from './figures.js'
import { failurePercent, sum } from '../samples/answers.js'
import { saturation, type Curve } from './curves.js'

/** The report's four key metrics of one phase. */
export interface KeyMetrics {
  /** best RPS, and the fewest replicas within 10 % of it; null where the load was the limit of that, so that it is no plateau */
  plateau: { rps: number; users: number; replicas: number } | null
  /** lowest median latency; null without an answer */
  latencyFloor: { ms: number; users: number; replicas: number } | null
  /** 0 to 100 of all that was sent, and of the worst cell */
  failures: { percent: number; worstPercent: number }
  /** RPS of the best row for each load worker, and what a load worker's CPU second sends */
  loadWorkers: { rpsEach: number; answersPerCpuSecond: number | null }
}

/** @param inPhase the curves of one phase; not none */
export function keyMetrics(inPhase: readonly Curve[]): KeyMetrics {
  const rows = inPhase.flatMap(curve => curve.rows)
  const best = rows.reduce((a, b) => (b.rps.median > a.rps.median ? b : a))
  const curve = inPhase.find(({ users }) => users === best.users)!
  const floor = rows.flatMap(({ p50Ms, users, replicas }) => (p50Ms ? [{ ms: p50Ms.median, users, replicas }] : []))
  return {
    plateau: isLoadLimited(best)
      ? null
      : { rps: best.rps.median, users: best.users, replicas: saturation(curve).replicas },
    latencyFloor: floor.length === 0 ? null : floor.reduce((a, b) => (b.ms < a.ms ? b : a)),
    failures: {
      percent: failurePercent(rows.flatMap(({ cells }) => cells.map(({ load }) => load))),
      worstPercent: Math.max(...rows.map(row => row.failurePercent.median))
    },
    loadWorkers: { rpsEach: best.rps.median / best.loadWorkers, answersPerCpuSecond: answersPerCpuSecond(best) }
  }
}

function answersPerCpuSecond({ cells }: Row): number | null {
  const seconds = sum(cells.map(({ generator }) => generator.cpuSeconds))
  return seconds === 0 ? null : sum(cells.map(({ load }) => load.completed)) / seconds
}
