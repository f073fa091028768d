/** A figure over repeats: their median, and a 95 % interval for the mean where there is more than one. */
export interface Estimate {
  median: number
  interval: [low: number, high: number] | null
}

/**
 * 97.5 % quantiles of Student's t by degrees of freedom, 1 to 30 (NIST/SEMATECH e-Handbook of Statistical Methods,
 * table 1.3.6.7.2).
 */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042
]
/** The normal distribution's, to which they fall. */
export const Z_975 = 1.96

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!
}

/** Sample standard deviation; 0 of a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const centre = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

/** 95 % t-interval for the mean of independent values; null with fewer than two. */
export function tInterval(values: readonly number[]): [low: number, high: number] | null {
  if (values.length < 2) return null
  const quantile = T_975[values.length - 2] ?? Z_975
  const half = (quantile * deviation(values)) / Math.sqrt(values.length)
  const centre = mean(values)
  return [centre - half, centre + half]
}

/** The values must not be none. */
export function estimate(values: readonly number[]): Estimate {
  return { median: median(values), interval: tInterval(values) }
}

/** 95 % interval of a share of which `part` of `all` were seen (E. B. Wilson 1927): within 0 to 1 also where none or all were. */
export function wilson(part: number, all: number): [low: number, high: number] {
  const share = part / all
  const square = Z_975 ** 2
  const weight = 1 / (1 + square / all)
  const centre = weight * (share + square / (2 * all))
  const half = weight * Z_975 * Math.sqrt((share * (1 - share)) / all + square / (4 * all * all))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}
