import type { CallPlan } from './calls/calls.js'
import type { Expectation } from './expected.js'
import type { LoadWorkerInterval, LoadWorkerTick } from '../samples/merge.js'
import type { Counts } from '../samples/tally.js'

/** What a load worker is told at its start. */
export interface LoadWorkerOptions {
  url: string
  /** connections */
  users: number
  thinkMs: number
  timeoutMs: number
  bodies: readonly string[]
  /** aligned with `bodies`; null where an answer cannot be checked */
  expected: readonly (Expectation | null)[]
  calls: CallPlan
  checkEvery: number
  seed: number
  /** arrivals a second in an open loop; left out, each user sends when it has its answer */
  ratePerSecond?: number
}

/** What a load worker can be asked for, and what it answers. Times are those of the machine's clock (clock.ts). */
export interface Commands {
  start: { asks: LoadWorkerOptions; answers: null }
  begin: { asks: { at: number }; answers: null }
  end: { asks: { at: number }; answers: LoadWorkerInterval }
  drain: { asks: null; answers: Counts }
}

export type CommandName = keyof Commands

/** From the parent. Every request has exactly one reply. */
export type LoadWorkerRequest = {
  [Name in CommandName]: { id: number; name: Name; asks: Commands[Name]['asks'] }
}[CommandName]

/** From the load worker. */
export type LoadWorkerReply = { id: number; answers: Commands[CommandName]['answers'] } | LoadWorkerTick
