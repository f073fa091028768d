/** @typedef {{ labels: Record<string, string>, value: number }} Sample */
/** @typedef {Map<string, Sample[]>} Metrics samples by the name of their metric */
/** @typedef {[bound: number, count: number][]} Buckets cumulative, by ascending upper bound in seconds */

const LINE = /^([\w:]+)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads Prometheus' text format. @param {string} text @returns {Metrics} */
export function parseMetrics(text) {
  const metrics = new Map()
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? []
    if (name === undefined) continue
    const sample = {
      labels: Object.fromEntries(Array.from(labels.matchAll(LABEL), ([, key, text]) => [key, text])),
      value: Number(value)
    }
    const samples = metrics.get(name)
    if (samples) samples.push(sample)
    else metrics.set(name, [sample])
  }
  return metrics
}

/**
 * Sum of a metric's samples whose labels pass.
 * @param {Metrics} metrics
 * @param {string} name
 * @param {(labels: Record<string, string>) => boolean} passes
 */
export function sum(metrics, name, passes = () => true) {
  let total = 0
  for (const { labels, value } of metrics.get(name) ?? []) if (passes(labels)) total += value
  return total
}

/**
 * A histogram's buckets, added up over the labels that pass.
 * @param {Metrics} metrics
 * @param {string} name
 * @param {(labels: Record<string, string>) => boolean} passes
 * @returns {Buckets}
 */
export function buckets(metrics, name, passes) {
  /** @type {Map<number, number>} */
  const counts = new Map()
  for (const { labels, value } of metrics.get(`${name}_bucket`) ?? []) {
    if (!passes(labels)) continue
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le)
    counts.set(bound, (counts.get(bound) ?? 0) + value)
  }
  return [...counts].sort(([a], [b]) => a - b)
}

/**
 * The value below which a share of a histogram lies, as Prometheus' histogram_quantile estimates it: evenly spread
 * within its bucket. Beyond the last finite bound nothing is known: Infinity. NaN without observations.
 * @param {Buckets} histogram @param {number} share
 */
export function quantile(histogram, share) {
  const rank = share * (histogram.at(-1)?.[1] ?? 0)
  if (rank === 0) return NaN
  let lower = 0
  let below = 0
  for (const [bound, count] of histogram) {
    if (count >= rank)
      return bound === Infinity ? Infinity : lower + ((bound - lower) * (rank - below)) / (count - below)
    lower = bound
    below = count
  }
  return NaN
}
