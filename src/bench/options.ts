import type { CallForm } from './results/calls.js'
import type { Run } from './results/run.schema.js'

/** How long a cell is warmed up: intervals of `intervalMs` until the last three agree, `most` of them at the most. */
export interface WarmUp {
  intervalMs: number
  most: number
}

/** What a sweep measures and against what. Times are ms. */
export interface SweepOptions {
  /** `report`: both phases and the standalone table; `matrix`: the phases; `standalone`: the earlier table alone */
  preset: 'report' | 'matrix' | 'standalone'
  /** who makes the load */
  generator: Run['generator']
  /** each of them 1 to 8 */
  replicas: number[]
  users: number[]
  /** numbers of load workers; one phase each */
  loadWorkers: number[]
  /** of the measured interval; the preset's own when it is left out */
  durationMs: number | undefined
  /** times that each cell is measured */
  repeats: number
  seed: number
  /** time a user waits between an answer and the next request */
  thinkMs: number
  /** a .json or .jsonl file of bodies; real windows of the data set when it is left out */
  payload: string | undefined
  /** `inference_length` of every body */
  steps: number
  /** way in to the service, and windows in each call */
  protocol: CallForm['protocol']
  windows: number
  /** folder of the results */
  out: string
  quick: boolean
  warmUp: WarmUp
  /** something that runs already; our own stack when it is left out */
  target: string | undefined
  /** where the target's own counters are */
  replicaMetrics: string[]
  /** port of the live page (Locust's own, with Locust); none when it is left out */
  uiPort: number | undefined
  /** HAProxy's port */
  port: number
  /** HAProxy's `balance`; the one for so many replicas on this host when it is left out */
  balance: string | undefined
}

/** What the flags of every measurement of our own stack give. */
export interface SharedOptions {
  seed: number
  payload: string | undefined
  steps: number
  port: number
  balance: string | undefined
}

/** Search for the highest Poisson rate whose P99 keeps a bound. */
export interface SloOptions extends SharedOptions {
  p99Ms: number
  replicas: number[]
  loadWorkers: number
  /** of each trial */
  durationMs: number
}
