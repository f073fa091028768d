import type { LoadFigures } from '../results/cell.schema.js'

/** Samples of which a percentile is shown at the least (MLPerf Inference's rule of early stopping). */
export const MINIMUM_SAMPLES = { p50: 1, p95: 130, p99: 662 } as const

type Answers = Pick<LoadFigures, 'statuses' | 'checked' | 'mismatched' | 'partial'>
type Sent = Pick<LoadFigures, 'completed' | 'errors' | 'lost' | 'overdue'>
type Windows = Pick<LoadFigures, 'windows' | 'failedWindows'>

/** Whether a status is 2xx. */
export const isSuccess = (status: number): boolean => status >= 200 && status <= 299

/** 2xx answers of those counted by status. */
export function successes(statuses: Record<string, number>): number {
  return sum(Object.entries(statuses).map(([status, count]) => (isSuccess(Number(status)) ? count : 0)))
}

/**
 * Good answers: 2xx with a forecast for every window, without the share of them that was wrong. One answer in so many is compared,
 * whichever body it was for, so the share of the compared ones stands for all.
 */
export function goodOf(load: Answers): number {
  return Math.round((successes(load.statuses) - (load.partial ?? 0)) * rightShare(load))
}

/** Windows that got a forecast, without the share of the answers that was wrong. */
export function forecastsOf(load: Answers & Windows): number {
  const { statuses, windows = 1, failedWindows = {} } = load
  return Math.round((successes(statuses) * windows - total(failedWindows)) * rightShare(load))
}

const rightShare = ({ checked, mismatched }: Answers): number => (checked === 0 ? 1 : 1 - mismatched / checked)

/** Everything that was sent and has ended, or that was overdue at the end of the measured interval. */
export function sentOf({ completed, errors, lost, overdue = 0 }: Sent): number {
  return completed + total(errors) + lost + overdue
}

/** Requests without a good answer. */
export function failedOf(load: Answers & Sent): number {
  return sentOf(load) - goodOf(load)
}

/** Windows without a forecast, 0 to 100 of those that were sent in all of the loads; 0 where nothing was sent. */
export function failurePercent(loads: readonly (Answers & Sent & Windows)[]): number {
  const all = sum(loads.map(load => sentOf(load) * (load.windows ?? 1)))
  return all === 0 ? 0 : (100 * (all - sum(loads.map(forecastsOf)))) / all
}

/** The sum of what was counted by name. */
export const total = (counts: Record<string, number>): number => sum(Object.values(counts))

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
