import t from 'tap'
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.js'

const no = () => undefined
const gauges = { queued: () => 0, steps: () => 0, rate: () => 0, taken: () => 0, ready: () => true }
const fresh = () =>
  createMetrics({ ...gauges, model: no, shadow: no, stale: () => false, registryUp: () => true, eventsHeard: no })

/** What Prometheus' histogram_quantile(0.5, ...) makes of a histogram (docs of PromQL): linear within the bucket. */
async function median(metrics: Metrics, name: string): Promise<number> {
  const text = await metrics.registry.getSingleMetricAsString(name)
  const buckets = [...text.matchAll(/_bucket\{.*?le="([^"]+)".*?\} (\d+)/g)].map(([, le, count]) => [
    le === '+Inf' ? Infinity : Number(le),
    Number(count)
  ])
  const half = buckets.at(-1)![1]! / 2
  const at = buckets.findIndex(([, count]) => count! >= half)
  const [lower, below] = at === 0 ? [0, 0] : buckets[at - 1]!
  const [upper, count] = buckets[at]!
  return lower! + (upper! - lower!) * ((half - below!) / (count! - below!))
}

const HISTOGRAMS: Record<string, { observe(metrics: Metrics, seconds: number): void; from: number }> = {
  gru_queue_wait_seconds: { observe: (metrics, seconds) => metrics.queueWait(seconds), from: 0.000015 },
  gru_batch_duration_seconds: { observe: (metrics, seconds) => metrics.batchRan(1, seconds), from: 0.000015 },
  gru_shadow_batch_duration_seconds: {
    observe: (metrics, seconds) => metrics.shadow.batchRan(1, seconds),
    from: 0.000015
  },
  gru_request_duration_seconds: {
    observe: (metrics, seconds) => metrics.route('/a').ended(200, seconds),
    from: 0.00015
  }
}

t.test('a median below half a millisecond is read within a factor of 1.7, whatever it is', async t => {
  for (const [name, { observe, from }] of Object.entries(HISTOGRAMS)) {
    for (let seconds = from; seconds < 0.01; seconds *= 1.3) {
      const metrics = fresh()
      for (let count = 0; count < 100; count++) observe(metrics, seconds)
      const ratio = (await median(metrics, name)) / seconds
      t.ok(ratio > 1 / 1.7 && ratio < 1.7, `${name}: ${(seconds * 1e6).toFixed(0)} us is read as ${ratio.toFixed(2)} x`)
    }
  }
})
