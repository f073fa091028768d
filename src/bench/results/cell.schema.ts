import type { FromSchema } from 'json-schema-to-ts'

/**
 * One line of `cells.jsonl`: what was measured in one repeat of one cell, and nothing that can be computed from it.
 * Everything that is printed later (tables, charts, analysis, comparison) is a pure function of these lines and of
 * `run.json`. Times are ms unless the name says otherwise; latencies are µs.
 */

const number = { type: 'number' } as const
const unknownOrNumber = { type: ['number', 'null'] } as const
const count = { type: 'integer', minimum: 0 } as const
const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const listOf = <const Items>(items: Items) => ({ type: 'array', items }) as const
const countsByName = { type: 'object', additionalProperties: count } as const
const exactly = <const Properties extends Record<string, unknown>>(properties: Properties) =>
  ({
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties) as (keyof Properties & string)[],
    properties
  }) as const

/** What was asked for. `key` is the same in every run of the same matrix: `phase/replicas/users/load workers/repeat`. */
export const PlannedCellSchema = exactly({
  key: text,
  /** `1` and `2` are the report's phases, `standalone` its earlier table, `custom` a selection by flags */
  phase: { type: 'string', enum: ['1', '2', 'standalone', 'custom'] },
  replicas: count,
  users: count,
  /** load workers; results written before call them so */
  workers: count,
  /** 1, 2, … */
  repeat: count,
  /** time a user waits between an answer and the next request */
  thinkMs: number,
  /** length of the measured interval, after warm-up */
  durationMs: number
})
export type PlannedCell = FromSchema<typeof PlannedCellSchema>

/**
 * What the load generator counted in the measured interval: a request belongs to the interval in which its end falls.
 * Failures = 1 - good / (completed + errors + lost + overdue); good = 2xx answers without the share of the checked ones that differed.
 * Where a call carries several windows, failures are counted in windows: every window of a call without a good answer has failed.
 */
const LoadFiguresProperties = {
  elapsedMs: number,
  /** answers, whatever their status */
  completed: count,
  /** answers by status */
  statuses: countsByName,
  /** connection errors and timeouts by kind (`ECONNREFUSED`, `ECONNRESET`, `timeout`, …) */
  errors: countsByName,
  /** requests that were sent and whose connection was closed without an answer */
  lost: count,
  /** answers compared with the expected forecast, and those that differed */
  checked: count,
  mismatched: count,
  /** good answers in each whole second of the interval */
  perSecond: listOf(count),
  /**
   * Of 2xx answers: HdrHistogram V2, compressed, base64; µs, three significant digits, merged over the load workers.
   * Null for Locust, which gives no distribution.
   */
  latencyUs: { type: ['string', 'null'] },
  /**
   * For Locust: of all that ended, failures too, ms as it rounds them (whole ones below 100, then two significant digits;
   * the mean exactly). Null where it has none, or too few samples.
   */
  latencyMs: {
    oneOf: [
      { type: 'null' },
      exactly({ median: unknownOrNumber, p95: unknownOrNumber, p99: unknownOrNumber, mean: unknownOrNumber })
    ]
  },
  /** sockets that each load worker held open */
  connections: listOf(count),
  /** from the first byte of the warm-up to the last answer of the drain: what the servers' own counters must equal */
  whole: exactly({ ok: count, completed: count, errors: count, lost: count })
} as const
const LoadFiguresSchema = {
  ...exactly(LoadFiguresProperties),
  properties: {
    ...LoadFiguresProperties,
    /** requests that were open at the end of the interval for longer than 99 % of the good answers took, and at least a second */
    overdue: count,
    /** windows in each call; 1 where it is missing */
    windows: count,
    /** 2xx answers in which a window has failed, and these windows by their error codes */
    partial: count,
    failedWindows: countsByName
  }
} as const
export type LoadFigures = FromSchema<typeof LoadFiguresSchema>

/** Buckets as Prometheus gives them, not cumulated: `counts[i]` observations at most `bounds[i]`, the last one above all. */
const HistogramSchema = exactly({ bounds: listOf(number), counts: listOf(count), sum: number })
export type BucketCounts = FromSchema<typeof HistogramSchema>

/** One replica over the measured interval, from its own /metrics and /proc. */
const ReplicaFiguresSchema = exactly({
  name: text,
  url: text,
  digest: text,
  /** 2xx answers with forecasts in the measured interval, and from before the warm-up to after the drain */
  ok: count,
  wholeOk: count,
  batchRows: HistogramSchema,
  queueWaitSeconds: HistogramSchema,
  /** null where /proc is not ours to read (a target elsewhere) */
  cpuSeconds: unknownOrNumber,
  rssBytes: unknownOrNumber,
  eventLoopP99Ms: unknownOrNumber
})
export type ReplicaFigures = FromSchema<typeof ReplicaFiguresSchema>

/** One process, or a few of a kind, over the measured interval. */
export interface ProcessFigures {
  processes: number
  cpuSeconds: number
  rssBytes: number
}

/** A self-check of the cell: a failed one leaves the figures as they are and marks the cell in Notes. */
const CheckSchema = exactly({
  /** `servers-agree`, `little`, `connections`, `same-model`, `generator-keeps-up`, `no-mismatch`, `steady`, `samples` */
  name: text,
  ok: flag,
  detail: text
})
export type Check = FromSchema<typeof CheckSchema>

export const CellSchema = exactly({
  schema: { type: 'integer', enum: [1] },
  plan: PlannedCellSchema,
  /** place in the seeded random order, from 0 */
  order: count,
  /** ISO 8601, UTC */
  startedAt: text,
  warmUp: exactly({
    seconds: number,
    /** good answers a second in each interval of the warm-up; results written before call it so */
    windows: listOf(number),
    steady: flag
  }),
  load: LoadFiguresSchema,
  replicas: listOf(ReplicaFiguresSchema),
  /** null where the target is not ours */
  haproxy: {
    oneOf: [
      { type: 'null' },
      exactly({
        cpuSeconds: number,
        rssBytes: number,
        /** requests that HAProxy sent again, to the same server or to another */
        retries: count,
        redispatches: count,
        /** most requests that waited in the backend's queue at once */
        queueMax: count,
        /** client connections at the end of the interval */
        frontendSessions: count
      })
    ]
  },
  generator: exactly({
    processes: count,
    cpuSeconds: number,
    rssBytes: number,
    /** the worst load worker's event-loop delay, 99th percentile */
    eventLoopP99Ms: number
  }),
  host: exactly({
    /** that generator and servers can use; a fraction under a quota */
    cores: number,
    /** 0 to 1 of all cores, from /proc/stat */
    busyShare: number,
    stealShare: number
  }),
  checks: listOf(CheckSchema),
  limiter: exactly({
    what: { type: 'string', enum: ['generator', 'haproxy', 'replicas', 'host CPU', 'think time', 'none found'] },
    evidence: text
  }),
  notes: listOf(text)
})
export type Cell = FromSchema<typeof CellSchema>
