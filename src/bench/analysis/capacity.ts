import { median } from './statistics.js'
import { type HeldOut, throughput, type Usl } from './usl.js'

/** Good answers a second that servers on so many cores would give: an estimate between two bounds. */
export interface Capacity {
  cores: number
  /** from CPU seconds an answer alone, as if cores never waited for each other */
  most: number
  /** the same with contention and agreement as the worst fit found them among replicas that shared the run's cores, with
   * as many of the cores in use as are best */
  least: number | null
}

/** @param cpuPerAnswerUs CPU of replicas and HAProxy for one answer in each cell, µs; not none */
export function capacity(cores: number, cpuPerAnswerUs: readonly number[], fits: readonly Usl[]): Capacity {
  const most = (cores * 1e6) / median(cpuPerAnswerUs)
  const counts = Array.from({ length: cores }, (_, index) => index + 1)
  const bests = fits.map(fit => Math.max(...counts.map(n => throughput({ ...fit, lambda: most / cores }, n))))
  return { cores, most, least: bests.length === 0 ? null : Math.min(...bests) }
}

/** How far each cell's throughput is from what the cores it used and the other cells' CPU an answer predict. */
export function heldOutCpuError(cpuPerAnswerUs: readonly number[]): HeldOut | null {
  if (cpuPerAnswerUs.length < 2) return null
  const errors = cpuPerAnswerUs.map((us, index) => Math.abs(us / median(cpuPerAnswerUs.toSpliced(index, 1)) - 1))
  return { median: median(errors), worst: Math.max(...errors) }
}
