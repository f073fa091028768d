import { Counter, type Registry } from 'prom-client'
import { HotHistogram } from './histogram.js'

/** Seconds: fine where this service works (a millisecond and less), coarse where only trouble is. */
export const SECONDS = [
  0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  5, 10
]

/** The parts of a request that may be shorter: a queue that is empty takes some microseconds, a batch of one row about 130. */
const FINE_SECONDS = [0.00001, 0.00002, 0.00003, 0.00005, 0.0001, 0.00015, ...SECONDS.slice(1)]

export type Declarers = ReturnType<typeof declarers>

/** Short ways to declare a counter, a counter with one label, and histograms without labels, coarse and fine. */
export function declarers(registry: Registry) {
  const registers = [registry]
  return {
    counter(name: string, help: string) {
      const metric = new Counter({ name, help, registers })
      return (count = 1) => metric.inc(count)
    },
    labelled(name: string, help: string, label: string, values: readonly string[]) {
      const metric = new Counter({ name, help, labelNames: [label], registers })
      for (const value of values) metric.inc({ [label]: value }, 0)
      return (value: string) => metric.inc({ [label]: value })
    },
    histogram: histogramsOf(registry, SECONDS),
    fine: histogramsOf(registry, FINE_SECONDS)
  }
}

const histogramsOf =
  (registry: Registry, standard: readonly number[]) =>
  (name: string, help: string, buckets = standard) => {
    const child = new HotHistogram({ name, help, labelNames: [], buckets, registry }).child({})
    return (value: number) => child.observe(value)
  }
