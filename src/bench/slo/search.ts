import { MINIMUM_SAMPLES } from '../samples/answers.js'
import { BenchError } from '../errors.js'

/** What one open-loop measurement at one rate came to. */
export interface RateFigures {
  /** arrivals a second that were asked for */
  ratePerSecond: number
  /** of good answers, from the planned send time */
  p99Ms: number
  /** good answers: what the percentile is made of */
  good: number
  /** errors, lost requests, answers that are not 2xx or wrong */
  failed: number
  /** arrivals that could not be sent in time */
  dropped: number
  /** by which the worst load worker's event loop was late, 99th percentile, ms */
  lateMs: number
  /** 0 to 1 of the cores of this host, which has generator and servers */
  hostBusy: number
}

export interface RateSearch {
  /** measures in an open loop; long enough for a P99 (`minimumIntervalMs`) */
  measure(ratePerSecond: number): Promise<RateFigures>
  p99Ms: number
  /** arrivals a second that are tried first */
  first: number
  /** arrivals a second between which the rate is looked for */
  low: number
  high: number
  /** relative width at which the search ends: 0.05 is 5 % */
  precision: number
  /** times that the rate found must hold again */
  confirmations: number
}

export interface HighestRate {
  /** null when not even the lowest rate holds */
  ratePerSecond: number | null
  /** whether the highest rate that was tried holds, so that the true one may lie above it */
  isAtTop: boolean
  /** the measurements that confirm the rate */
  confirmed: RateFigures[]
  /** every measurement, in the order in which it was made */
  tried: RateFigures[]
}

/** Ms within which so many arrivals a second are enough for a P99. */
export const minimumIntervalMs = (ratePerSecond: number): number => (MINIMUM_SAMPLES.p99 / ratePerSecond) * 1000

type Holds = (rate: number) => Promise<boolean>

/**
 * Finds the highest rate at which the P99 keeps within the bound with no failure and no drop: doubles or halves the first one
 * until it lies between one that holds and one that does not, halves that interval in proportion until it is narrow enough, then
 * confirms. On the way a rate has two chances, for a pause of the machine is not the servers' limit; to be confirmed it
 * has none to spare: one that does not hold again was luck, and the next lower one is confirmed in its place.
 * @throws BenchError `bad_flag` for an interval that is none
 */
export async function findHighestRate(search: RateSearch): Promise<HighestRate> {
  const { first, low, high, precision } = search
  if (!(low > 0 && high > low && first >= low && first <= high)) {
    throw new BenchError('bad_flag', `no rate lies between ${low} and ${high} a second`)
  }
  const tried: RateFigures[] = []
  const holds: Holds = async rate => {
    const figures = await search.measure(rate)
    tried.push(figures)
    return isWithin(figures, search.p99Ms)
  }
  const found = await narrow(search, async rate => (await holds(rate)) || holds(rate))
  for (let rate = found; rate >= low; rate = rate === low ? 0 : Math.max(low, rate / (1 + precision))) {
    const confirmed = await confirm(rate, search.confirmations, holds)
    if (confirmed) return { ratePerSecond: rate, isAtTop: rate === high, confirmed: tail(tried, search), tried }
  }
  return { ratePerSecond: null, isAtTop: false, confirmed: [], tried }
}

/** The highest rate that holds, to within the precision; 0 when none does. */
async function narrow({ first, low, high, precision }: RateSearch, holds: Holds): Promise<number> {
  let [good, bad] = (await holds(first)) ? [first, Infinity] : [0, first]
  while (bad === Infinity && good < high) {
    const above = Math.min(high, 2 * good)
    if (await holds(above)) good = above
    else bad = above
  }
  while (good === 0 && bad > low) {
    const below = Math.max(low, bad / 2)
    if (await holds(below)) good = below
    else bad = below
  }
  while (good > 0 && bad < Infinity && bad / good > 1 + precision) {
    const middle = Math.sqrt(good * bad)
    if (await holds(middle)) good = middle
    else bad = middle
  }
  return good
}

async function confirm(rate: number, times: number, holds: Holds): Promise<boolean> {
  for (let time = 0; time < times; time++) if (!(await holds(rate))) return false
  return true
}

const tail = (tried: RateFigures[], { confirmations }: RateSearch): RateFigures[] =>
  confirmations > 0 ? tried.slice(-confirmations) : []

function isWithin({ p99Ms, good, failed, dropped }: RateFigures, bound: number): boolean {
  return failed === 0 && dropped === 0 && good >= MINIMUM_SAMPLES.p99 && p99Ms <= bound
}
