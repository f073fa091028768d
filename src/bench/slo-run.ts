import { sum } from './analysis/figures.js'
import { median } from './analysis/statistics.js'
import type { SloOptions } from './cli.js'
import { type Case, loadCases } from './load/cases.js'
import type { LoadOrder } from './load/generator.js'
import { measureRate } from './load/rate.js'
import { counted, digits, markdownTable } from './report/format.js'
import { findHighestRate, type HighestRate, leastWindowMs, type RateFigures } from './slo.js'
import { askModel, ownStack, type Target } from './target.js'

/** Connections over which arrivals are spread: more than are in use at once as long as the bound is kept. */
const CONNECTIONS = 256
const CHECK_EVERY = 50
const TIMEOUT_MS = 10_000
const WARM_UP_MS = 2000
/** Arrivals a second that are tried first, and between which is searched: a service of this kind on any one machine is in between. */
const FIRST = 1600
const LOWEST = 10
const HIGHEST = 1_000_000
/** Relative width of what is found. */
const PRECISION = 0.05
const CONFIRMATIONS = 2

/**
 * Finds for each number of replicas the highest Poisson rate whose P99, from the planned send times, is within the bound.
 * @returns a Markdown table
 */
export async function runSlo(options: SloOptions, signal: AbortSignal): Promise<string> {
  const target = await ownStack(options, Math.max(...options.replicas))
  try {
    const served = await askModel(target.url)
    const cases = await loadCases({ url: target.url, payload: options.payload, steps: options.steps, served })
    const rows: string[][] = []
    for (const replicas of options.replicas) {
      await target.scale(replicas)
      const found = await search(options, { target, cases, signal, replicas })
      rows.push(rowTexts(replicas, found))
    }
    return render(options, rows)
  } finally {
    await target.stop()
  }
}

interface Trials {
  target: Target
  cases: readonly Case[]
  signal: AbortSignal
  replicas: number
}

function search(options: SloOptions, { target, cases, signal, replicas }: Trials): Promise<HighestRate> {
  const order: LoadOrder = {
    url: `${target.url}/predict`,
    users: CONNECTIONS,
    workers: options.workers,
    thinkMs: 0,
    bodies: cases.map(({ body }) => body),
    expected: cases,
    checkEvery: CHECK_EVERY,
    seed: options.seed,
    timeoutMs: TIMEOUT_MS
  }
  return findHighestRate({
    async measure(ratePerSecond) {
      signal.throwIfAborted()
      const durationMs = Math.max(options.durationMs, leastWindowMs(ratePerSecond) * 1.2)
      const trial = measureRate({ order: { ...order, ratePerSecond }, warmUpMs: WARM_UP_MS, durationMs })
      const figures = await Promise.race([trial, target.died.then(error => Promise.reject(error))])
      console.error(`bench: ${counted(replicas, 'replica')}: ${trialText(figures)}`)
      return figures
    },
    p99Ms: options.p99Ms,
    first: FIRST,
    low: LOWEST,
    high: HIGHEST,
    precision: PRECISION,
    confirmations: CONFIRMATIONS
  })
}

function trialText({ ratePerSecond, p99Ms, good, failed, dropped }: RateFigures): string {
  return `${digits(ratePerSecond)}/s: P99 ${digits(p99Ms)} ms, ${good} good, ${failed} failed, ${dropped} dropped`
}

function rowTexts(replicas: number, { ratePerSecond, isAtTop, confirmed, tried }: HighestRate): string[] {
  if (ratePerSecond === null) {
    return [String(replicas), `none from ${LOWEST}/s on`, '', '', '', '', String(tried.length)]
  }
  return [
    String(replicas),
    `${digits(ratePerSecond)}${isAtTop ? ' or more' : ''}`,
    digits(median(confirmed.map(({ p99Ms }) => p99Ms))),
    ...[sum(confirmed.map(({ good }) => good)), sum(confirmed.map(({ failed }) => failed))].map(String),
    ...[sum(confirmed.map(({ dropped }) => dropped)), tried.length].map(String)
  ]
}

function render({ p99Ms, durationMs, workers, seed, steps }: SloOptions, rows: string[][]): string {
  const head = ['Inference Replicas', 'Rate (req/s)', 'P99 (ms)', 'Good', 'Failures', 'Drops', 'Trials']
  return [
    `Highest Poisson rate with P99 <= ${p99Ms} ms, no failure and no drop; open loop, latency from the planned send time.`,
    `${workers} load workers, ${CONNECTIONS} connections, ${durationMs / 1000} s or more a trial, ${counted(steps, 'step')}, seed ${seed}; found to within ${PRECISION * 100} % and confirmed ${CONFIRMATIONS} times, whose figures are shown.`,
    markdownTable(head, rows)
  ].join('\n\n')
}
