import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { REFUSALS } from '../errors.js'
import { declarers, SECONDS } from './declare.js'
import { type HistogramChild, HotHistogram } from './histogram.js'
import { type Trigger, TRIGGERS, type Step, STEPS } from '../model/promotion/steps.js'
import { declareShadow, type ShadowMetrics } from './shadow.js'

const BATCH_ROWS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256]

/** Why a request was turned away before any work was done for it. */
const REFUSAL_REASONS = ['queue_full', 'model_not_ready', 'unsupported_media_type'] as const
/** How a rollout can end. */
const PROMOTION_OUTCOMES = ['live', ...REFUSALS] as const

interface ModelInfo {
  name: string
  version: string
  run_id: string
  digest: string
}

/** What the gauges read at each scrape. */
export interface Gauges {
  queued(): number
  /** steps of admitted requests that have not been run */
  steps(): number
  /** rows a second by which admission reckons; 0 without a model or before its first batch */
  rate(): number
  taken(): number
  ready(): boolean
  model(): ModelInfo | undefined
  /** the model that gets live rows for comparison only */
  shadow(): ModelInfo | undefined
  /** what serves may not be what is promoted now: the source has not been heard, or what it names did not go live */
  stale(): boolean
  /** the source answered when it was asked last */
  registryUp(): boolean
  /** promotion events from Kafka are heard; undefined where none are to be */
  eventsHeard(): boolean | undefined
}

/** The requests of one route. */
export interface RouteStats {
  ended(status: number, seconds: number): void
}

export interface Metrics {
  registry: Registry
  /** to be asked once a route */
  route(route: string): RouteStats
  queueWait(seconds: number): void
  refused(reason: (typeof REFUSAL_REASONS)[number]): void
  promotion(outcome: (typeof PROMOTION_OUTCOMES)[number], seconds: number): void
  step(step: Step, seconds: number): void
  /** something said that another model may be promoted */
  promotionTrigger(from: Trigger): void
  connectionError(kind: string): void
  batchRan(rows: number, seconds: number): void
  batchRescued(): void
  rowExpired(): void
  rowCancelled(): void
  workerDied(): void
  shadow: ShadowMetrics
}

/** Declares every metric in one place; each known label value starts at 0, so that `increase()` sees the first event. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // These three are gauges that are called _total: promtool's lint fails on them.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`)
  declareGauges(registry, gauges)
  const declare = declarers(registry)
  const { counter, labelled, histogram, fine } = declare
  const promotionSeconds = histogram('gru_promotion_duration_seconds', 'One rollout, from reading to the swap.')
  const batchSeconds = fine('gru_batch_duration_seconds', 'One model run of a batch.')
  const batchRows = histogram('gru_batch_rows', 'Rows of a batch.', BATCH_ROWS)
  const rows = counter('gru_rows_executed_total', 'Rows that the model ran.')
  const promotion = labelled('gru_promotions_total', 'Rollouts by outcome.', 'outcome', PROMOTION_OUTCOMES)
  const steps = promotionSteps(registry)
  const kinds = ['headers_too_large', 'request_timeout', 'bad_request', 'too_many']
  return {
    registry,
    route: requestsByRoute(registry),
    queueWait: fine('gru_queue_wait_seconds', 'Time the rows of an answered request waited for a worker.'),
    refused: labelled('gru_refusals_total', 'Requests refused unread, by reason.', 'reason', REFUSAL_REASONS),
    promotion(outcome, took) {
      promotion(outcome)
      promotionSeconds(took)
    },
    step: (step, took) => steps[step].observe(took),
    promotionTrigger: labelled(
      'gru_promotion_hints_total',
      'Reasons to ask what is promoted, by origin.',
      'origin',
      TRIGGERS
    ),
    connectionError: labelled(
      'gru_connection_errors_total',
      'Connections closed for what they sent, or because there were too many.',
      'kind',
      kinds
    ),
    batchRan(count, took) {
      rows(count)
      batchRows(count)
      batchSeconds(took)
    },
    batchRescued: counter('gru_batch_rescues_total', 'Batches that failed whole; their rows were run one by one.'),
    rowExpired: counter('gru_rows_expired_total', 'Rows whose deadline passed before they ran.'),
    rowCancelled: counter('gru_rows_cancelled_total', 'Rows whose caller hung up.'),
    workerDied: counter('gru_worker_deaths_total', 'Worker threads that ended without being asked to.'),
    shadow: declareShadow(registry, declare)
  }
}

/** A rollout's steps; a child each, so that each is there from the start. */
function promotionSteps(registry: Registry): Record<Step, HistogramChild> {
  const histogram = new HotHistogram({
    name: 'gru_promotion_step_seconds',
    help: 'One step of a rollout, however it ended.',
    labelNames: ['step'],
    buckets: SECONDS,
    registry
  })
  return Object.fromEntries(STEPS.map(step => [step, histogram.child({ step })])) as Record<Step, HistogramChild>
}

/** The histogram of whole requests; its count is the number of requests by route and status. */
function requestsByRoute(registry: Registry): (route: string) => RouteStats {
  const histogram = new HotHistogram({
    name: 'gru_request_duration_seconds',
    help: 'Whole request, from its headers to the answer; 499: the caller hung up. The count is the number of requests.',
    labelNames: ['route', 'status'],
    buckets: SECONDS,
    registry
  })
  const routes = new Map<string, RouteStats>()
  const open = (route: string): RouteStats => {
    const children = new Map<number, HistogramChild>()
    const childOf = (status: number) => {
      const child = children.get(status) ?? histogram.child({ route, status: String(status) })
      children.set(status, child)
      return child
    }
    return { ended: (status, seconds) => (children.get(status) ?? childOf(status)).observe(seconds) }
  }
  return route => {
    const stats = routes.get(route) ?? open(route)
    routes.set(route, stats)
    return stats
  }
}

function declareGauges(registry: Registry, gauges: Gauges): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      }
    })
  gauge('gru_queue_depth', 'Rows that wait in a ring or run.', gauges.queued)
  gauge('gru_queue_steps', 'Steps of admitted requests that have not been run.', gauges.steps)
  gauge('gru_throughput_rows_per_second', 'Measured rate at which rows are worked off under load.', gauges.rate)
  gauge('gru_requests_in_flight', 'Requests that hold a slot.', gauges.taken)
  gauge('gru_ready', '1 with a warmed model and not draining.', () => Number(gauges.ready()))
  gauge('gru_model_stale', '1 while what serves may not be what is promoted.', () => Number(gauges.stale()))
  gauge('gru_registry_up', '1 when the model source answered the last time it was asked.', () =>
    Number(gauges.registryUp())
  )
  /** Without a series while there is nothing to say. */
  const perhaps = (name: string, help: string, read: () => boolean | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const is = read()
        if (is === undefined) this.remove()
        else this.set(Number(is))
      }
    })
  perhaps('gru_promotion_events_heard', '1 while promotion events are heard.', gauges.eventsHeard)
  const info = (name: string, help: string, read: () => ModelInfo | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['name', 'version', 'run_id', 'digest'],
      registers,
      collect() {
        this.reset()
        const model = read()
        if (model) this.set({ ...model }, 1)
      }
    })
  info('gru_model_info', 'The model that serves.', gauges.model)
  info('gru_shadow_model_info', 'The model that gets live rows for comparison only.', gauges.shadow)
}
