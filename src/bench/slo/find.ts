import type { SloOptions } from '../options.js'
import { type Case, loadCases } from '../load/cases.js'
import { FAILURES, type LoadOptions } from '../load/generator.js'
import { measureRate } from './rate.js'
import { counted, digits } from '../report/format.js'
import { findHighestRate, type HighestRate, minimumIntervalMs, type RateFigures } from './search.js'
import { renderSlo, type SloRow } from './table.js'
import { askModel } from '../stack/model.js'
import { ownStack, type Target, whileAlive } from '../stack/target.js'

/** Connections over which arrivals are spread: more than are in use at once as long as the bound is kept. */
const CONNECTIONS = 256
const WARM_UP_MS = 2000
/**
 * Arrivals a second that are tried first, and between which is searched: a service of this kind on any one machine is in
 * between. What is found is within 5 %.
 */
const SEARCH = { first: 1600, low: 10, high: 1_000_000, precision: 0.05, confirmations: 2 } as const

/**
 * Finds for each number of replicas the highest Poisson rate whose P99, from the planned send times, is within the bound.
 * @returns Markdown
 * @throws the signal's reason when it is aborted, and BenchError when a part fails; nothing is left running then
 */
export async function runSlo(options: SloOptions, signal: AbortSignal): Promise<string> {
  const target = await ownStack(options, Math.max(...options.replicas))
  try {
    const served = await askModel(target.url)
    const cases = await loadCases({ url: target.url, payload: options.payload, steps: options.steps, served })
    const found: SloRow[] = []
    for (const replicas of options.replicas) {
      await target.scale(replicas)
      found.push({ replicas, ...(await search(options, { target, cases, signal, replicas })) })
    }
    return renderSlo({ ...options, ...SEARCH, connections: CONNECTIONS, found })
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
  const order: LoadOptions = {
    url: `${target.url}/predict`,
    users: CONNECTIONS,
    loadWorkers: options.loadWorkers,
    thinkMs: 0,
    bodies: cases.map(({ body }) => body),
    expected: cases,
    seed: options.seed,
    ...FAILURES
  }
  return findHighestRate({
    async measure(ratePerSecond) {
      const durationMs = Math.max(options.durationMs, minimumIntervalMs(ratePerSecond) * 1.2)
      const trial = { order: { ...order, ratePerSecond }, warmUpMs: WARM_UP_MS, durationMs }
      const figures = await whileAlive(target, signal, within => measureRate(trial, within))
      console.error(`bench: ${counted(replicas, 'replica')}: ${trialText(figures)}`)
      return figures
    },
    p99Ms: options.p99Ms,
    ...SEARCH
  })
}

function trialText({ ratePerSecond, p99Ms, good, failed, dropped }: RateFigures): string {
  return `${digits(ratePerSecond)}/s: P99 ${digits(p99Ms)} ms, ${good} good, ${failed} failed, ${dropped} dropped`
}
