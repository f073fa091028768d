import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import type { Cell, PlannedCell } from '../../src/bench/results/cell.schema.js'
import type { Run } from '../../src/bench/results/run.schema.js'

/** How a made-up cell differs from the plain one. */
export interface CellTraits {
  plan?: Partial<PlannedCell>
  /** latency in ms of each good answer; there are as many good answers as entries */
  latenciesMs?: number[]
  /** Locust's own figures, in the place of a histogram */
  latencyMs?: Cell['load']['latencyMs']
  /** other answers by status, errors by kind, lost requests */
  statuses?: Record<string, number>
  errors?: Record<string, number>
  lost?: number
  mismatched?: number
  /** windows in each call, and those that failed in answers with status 200 */
  windows?: number
  partial?: number
  failedWindows?: Record<string, number>
  elapsedMs?: number
  checks?: Cell['checks']
  limiter?: Cell['limiter']
  notes?: string[]
}

/** A histogram as the cells hold it, filled with ms. */
function histogramOf(latenciesMs: readonly number[]): string {
  const histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3
  })
  for (const ms of latenciesMs) histogram.recordValue(Math.round(ms * 1000))
  return encodeIntoCompressedBase64(histogram)
}

export function plannedCell(traits: Partial<PlannedCell> = {}): PlannedCell {
  const cell = { phase: '1' as const, replicas: 2, users: 100, workers: 4, repeat: 1, thinkMs: 0, durationMs: 10_000 }
  const { phase, replicas, users, workers, repeat } = { ...cell, ...traits }
  return { ...cell, ...traits, key: [phase, replicas, users, workers, repeat].join('/') }
}

/**
 * A cell with numbers that can be worked out by hand: in 10 s two replicas use 4 and 6 CPU seconds and answer 40 % and
 * 60 %, HAProxy uses 2, the generator 5; batches of 1 and 4 rows, 75 and 25 of them on each replica.
 */
export function benchCell(traits: CellTraits = {}): Cell {
  const plan = plannedCell(traits.plan)
  const latenciesMs = traits.latenciesMs ?? new Array<number>(1000).fill(100)
  const mismatched = traits.mismatched ?? 0
  const ok = latenciesMs.length
  const statuses = { 200: ok, ...traits.statuses }
  const completed = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  const elapsedMs = traits.elapsedMs ?? 10_000
  const errors = traits.errors ?? {}
  const lost = traits.lost ?? 0
  const unanswered = Object.values(errors).reduce((sum, count) => sum + count, 0)
  return {
    schema: 1,
    plan,
    order: 0,
    startedAt: '2026-01-02T03:04:05.000Z',
    warmUp: { seconds: 9, windows: [100, 100, 100], steady: true },
    load: {
      ...{ elapsedMs, completed, statuses, errors, lost, checked: 20, mismatched },
      perSecond: new Array<number>(10).fill(Math.round(ok / 10)),
      latencyUs: traits.latencyMs ? null : histogramOf(latenciesMs),
      latencyMs: traits.latencyMs ?? null,
      connections: new Array<number>(plan.workers).fill(plan.users / plan.workers),
      whole: { ok: ok + 50, completed: completed + 50, errors: unanswered, lost },
      ...(traits.windows !== undefined && {
        windows: traits.windows,
        partial: traits.partial ?? 0,
        failedWindows: traits.failedWindows ?? {}
      })
    },
    replicas: [0.4, 0.6].map((share, index) => ({
      name: `r${index + 1}`,
      url: `http://127.0.0.1:${8081 + index}`,
      digest: 'abc',
      ok: Math.round(share * ok),
      wholeOk: Math.round(share * (ok + 50)),
      batchRows: { bounds: [1, 4], counts: [75, 25, 0], sum: 175 },
      queueWaitSeconds: { bounds: [0.001, 0.01], counts: [0, 100, 0], sum: 0.5 },
      cpuSeconds: share * 10,
      rssBytes: 150_000_000,
      eventLoopP99Ms: 12
    })),
    haproxy: { cpuSeconds: 2, rssBytes: 40e6, retries: 0, redispatches: 0, queueMax: 7, frontendSessions: plan.users },
    generator: { processes: plan.workers, cpuSeconds: 5, rssBytes: 400e6, eventLoopP99Ms: 3 },
    host: { cores: 2, busyShare: 0.95, stealShare: 0.01 },
    checks: traits.checks ?? [{ name: 'steady', ok: true, detail: 'warm-up at 100, 100, 100 a second' }],
    limiter: traits.limiter ?? { what: 'host CPU', evidence: 'all cores 95 % busy' },
    notes: traits.notes ?? []
  }
}

/** A run of these cells. */
export function benchRun(cells: readonly Cell[], traits: Partial<Run> = {}): Run {
  return {
    schema: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    quick: false,
    generator: 'autocannon',
    seed: 1,
    args: ['--seed', '1'],
    target: null,
    steps: 1,
    plan: cells.map(({ plan }) => plan),
    fingerprint: {
      ...{ cpu: 'Test CPU', cores: 2, memoryBytes: 8e9, kernel: 'Linux 6.0', node: 'v20.0.0', onnxruntime: '1.30.0' },
      ...{
        haproxy: '2.6.0',
        balance: 'leastconn',
        maxconn: '64, alone 256',
        modelDigest: 'abc',
        modelVersion: '1',
        payloadDigest: 'def',
        commit: 'c0',
        dirty: false
      }
    },
    ...traits
  }
}
