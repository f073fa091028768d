import { byId, say, svg } from './dom.js'
import { latency, rate } from './format.js'
import { buckets, quantile, sum } from './metrics.js'
/** @import { Buckets, Metrics } from './metrics.js' */

const ROUTE = '/predict'
const DURATION = 'gru_request_duration_seconds'
const HISTORY = 60
const NOTHING = '–'
const CHANGED = 'Two replicas answered in turn. Figures appear when the same replica answers twice.'

/** The counters of a replica at one moment. @param {Metrics} metrics @param {number} at ms @param {string | null} replica */
function snapshot(metrics, at, replica) {
  /** @param {Record<string, string>} labels */
  const good = ({ route, status }) => route === ROUTE && status === '200'
  /** @param {Record<string, string>} labels */
  const bad = ({ route, status }) => route === ROUTE && status !== '200'
  return {
    at,
    replica,
    latencies: buckets(metrics, DURATION, good),
    good: sum(metrics, `${DURATION}_count`, good),
    bad: sum(metrics, `${DURATION}_count`, bad),
    batches: sum(metrics, 'gru_batch_rows_count'),
    rows: sum(metrics, 'gru_batch_rows_sum'),
    queue: sum(metrics, 'gru_queue_depth')
  }
}

/** @param {Buckets} now @param {Buckets} before @returns {Buckets} */
function since(now, before) {
  const old = new Map(before)
  return now.map(([bound, count]) => [bound, count - (old.get(bound) ?? 0)])
}

/** Rate, latency, batches and queue of the forecasts, from what the counters gained between two looks. */
export class Live {
  /** @type {ReturnType<typeof snapshot> | undefined} */
  #before
  /** @type {number[]} */
  #history = []

  /** @param {Metrics} metrics @param {string | null} replica that they are of, where it says so */
  update(metrics, replica) {
    const now = snapshot(metrics, performance.now(), replica)
    const before = this.#before
    const changed = before !== undefined && before.replica !== now.replica
    say(byId('live-replica', HTMLElement), changed ? CHANGED : '')
    // Two replicas' counters have nothing to do with each other, and neither have their queues.
    if (changed) this.clear()
    this.#before = now
    if (changed) return
    this.#show('queue', rate(now.queue))
    // Counters that fell belong to a process that has been started anew: the next look compares with these.
    if (!before || now.good < before.good || now.bad < before.bad || now.batches < before.batches) return
    const seconds = (now.at - before.at) / 1000
    const perSecond = (now.good - before.good) / seconds
    const latencies = since(now.latencies, before.latencies)
    const batches = now.batches - before.batches
    this.#show('rate', rate(perSecond))
    this.#show('failed', rate((now.bad - before.bad) / seconds))
    this.#show('median', estimate(latencies, 0.5))
    this.#show('p99', estimate(latencies, 0.99))
    this.#show('batch', batches === 0 ? NOTHING : ((now.rows - before.rows) / batches).toFixed(1))
    this.#history = [...this.#history, perSecond].slice(-HISTORY)
    drawHistory(this.#history)
  }

  /** Nothing is known any more: the next look starts anew. */
  clear() {
    this.#before = undefined
    for (const name of ['rate', 'failed', 'median', 'p99', 'batch', 'queue']) this.#show(name, NOTHING)
  }

  /** @param {string} name @param {string} text */
  #show(name, text) {
    say(byId(`live-${name}`, HTMLElement), text)
  }
}

/** @param {Buckets} latencies @param {number} share */
function estimate(latencies, share) {
  const value = quantile(latencies, share)
  if (Number.isNaN(value)) return NOTHING
  return value === Infinity ? `> ${latency(latencies.at(-2)?.[0] ?? 0)}` : latency(value)
}

/** @param {number[]} rates */
function drawHistory(rates) {
  const chart = byId('live-history', SVGElement)
  const { width, height } = chart.getBoundingClientRect()
  const peak = Math.max(...rates)
  const x = (/** @type {number} */ index) => width - ((rates.length - 1 - index) * width) / (HISTORY - 1)
  const y = (/** @type {number} */ value) => height - 1 - (value / (peak || 1)) * (height - 3)
  const points = rates.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
  say(byId('live-peak', HTMLElement), `${rate(peak)} forecasts a second`)
  chart.replaceChildren(svg('polyline', { points, class: 'line' }))
}
