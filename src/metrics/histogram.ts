import type { Metric, Registry } from 'prom-client'

/** The counts of one combination of label values. */
export class HistogramChild {
  readonly #bounds: readonly number[]
  /** observations by bucket, not cumulated; the last one is above every bound */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += value
  }
}

interface Options<Label extends string> {
  name: string
  help: string
  labelNames: readonly Label[]
  /** upper bounds, rising */
  buckets: readonly number[]
  registry: Registry
}

interface Sample {
  metricName: string
  labels: Record<string, string | number>
  value: number
}

/**
 * A histogram for the hot path, scraped through prom-client's registry. prom-client's own costs a microsecond an
 * observation with labels, for it validates and hashes them each time; this one resolves them once (docs/adr/0004).
 */
export class HotHistogram<Label extends string = never> {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #buckets: readonly number[]
  readonly #children: { labels: Record<Label, string>; child: HistogramChild }[] = []

  constructor({ name, help, buckets, registry }: Options<Label>) {
    this.name = name
    this.help = help
    this.#buckets = buckets
    // The registry asks a metric for no more than its name and `get`.
    registry.registerMetric(this as unknown as Metric)
  }

  /** The counts of these label values, to be kept by the caller; call it once for each combination. */
  child(labels: Record<Label, string>): HistogramChild {
    const child = new HistogramChild(this.#buckets)
    this.#children.push({ labels, child })
    return child
  }

  /** What the registry writes out at a scrape. */
  get() {
    const { name, help, type, aggregator } = this
    return Promise.resolve({
      name,
      help,
      type,
      aggregator,
      values: this.#children.flatMap(entry => this.#samples(entry))
    })
  }

  #samples({ labels, child }: { labels: Record<Label, string>; child: HistogramChild }): Sample[] {
    let count = 0
    const buckets = [...this.#buckets, '+Inf'].map((le, index) => {
      count += child.counts[index]!
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count }
    })
    const total = (suffix: string, value: number) => ({
      metricName: `${this.name}_${suffix}`,
      labels: { ...labels },
      value
    })
    return [...buckets, total('sum', child.sum), total('count', count)]
  }

  /** Part of what a registry may call; the counts of a process's life are never reset. */
  reset(): void {}
}
