import type { Cell, Check } from '../results/cell.schema.js'
import { usersByLittle } from './figures.js'
import { goodOf, MINIMUM_SAMPLES, sentOf, successes, sum } from '../samples/answers.js'

/** Users may differ from what Little's law says by this share: the interval cuts through requests at both its ends. */
const LITTLE_TOLERANCE = 0.1
/** Share of requests without a 2xx answer up to which these are all of the load. */
const LITTLE_OTHERS = 0.01
/** Event-loop delay of a load worker that is of no account, ms. */
const SMALL_DELAY_MS = 10
/** Share of the mean latency that a load worker's own delay may be. */
const DELAY_SHARE = 0.25

/** What the checks look at, beside the cell's own figures. */
export interface Evidence {
  plan: Cell['plan']
  load: Cell['load']
  warmUp: Cell['warmUp']
  generator: Cell['generator']
  /** mean latency of good answers in the interval, ms */
  latencyMs: number
  /** connections that the server's side counts at the end of the interval; null where nobody does */
  connections: number | null
  /** 2xx answers from before the warm-up to after the drain by the servers' own count; null where it is not known */
  serversOk: number | null
  /** digests that the replicas served at the beginning and at the end */
  digests: string[]
}

/** Every self-check of a cell; one that cannot be made where the target is not ours is not in the list. */
export function checkCell(evidence: Evidence): Check[] {
  return [
    serversAgree(evidence),
    little(evidence),
    connections(evidence),
    sameModel(evidence),
    generatorKeepsUp(evidence),
    noMismatch(evidence),
    steady(evidence),
    samples(evidence)
  ].filter(check => check !== undefined)
}

/** A server may have answered what the client gave up or lost; beyond that each answer is counted by both. */
function serversAgree({ load, serversOk }: Evidence): Check | undefined {
  if (serversOk === null) return undefined
  const { ok, errors, lost } = load.whole
  const unknown = errors + lost
  const surplus = serversOk - ok
  return {
    name: 'servers-agree',
    ok: surplus >= 0 && surplus <= unknown,
    detail: `the client counts ${ok} 2xx answers, the servers ${serversOk}; ${unknown} requests have no known end`
  }
}

/**
 * Users = throughput x (latency + think time), Little 1961. Both are of the 2xx answers. Where other requests are more than a few,
 * they hold users for times that nobody measured: then the 2xx answers must hold no more than all users.
 */
function little({ plan, load, latencyMs }: Evidence): Check {
  const answered = successes(load.statuses)
  const inSystem = usersByLittle((answered / load.elapsedMs) * 1000, latencyMs, plan.thinkMs)
  const share = inSystem / plan.users - 1
  const isAll = answered >= (1 - LITTLE_OTHERS) * sentOf(load)
  const others = isAll ? '' : '; failed requests hold the other users'
  return {
    name: 'little',
    ok: share <= LITTLE_TOLERANCE && (!isAll || share >= -LITTLE_TOLERANCE),
    detail: `throughput x (latency + think time) = ${inSystem.toFixed(1)} of ${plan.users} users${others}`
  }
}

function connections({ plan, load, connections }: Evidence): Check {
  const open = sum(load.connections)
  const seen = connections ?? open
  const by = connections === null ? 'the generator holds' : 'the server side counts'
  return {
    name: 'connections',
    ok: seen === plan.users && open === plan.users,
    detail: `${by} ${seen} connections for ${plan.users} users (${load.connections.join(' + ')})`
  }
}

function sameModel({ digests }: Evidence): Check | undefined {
  if (digests.length === 0) return undefined
  const different = [...new Set(digests)]
  return {
    name: 'same-model',
    ok: different.length === 1 && different[0] !== '',
    detail: `served: ${different.map(digest => digest.slice(0, 12) || 'none').join(', ')}`
  }
}

/** Ms by which a load worker may be late, beside latencies of `latencyMs`, before it is measured in the place of the servers. */
export function lateBoundMs(latencyMs: number): number {
  return Math.max(SMALL_DELAY_MS, DELAY_SHARE * latencyMs)
}

function generatorKeepsUp({ generator, latencyMs }: Evidence): Check {
  const bound = lateBoundMs(latencyMs)
  return {
    name: 'generator-keeps-up',
    ok: generator.eventLoopP99Ms <= bound,
    detail: `a load worker's event loop was late by ${generator.eventLoopP99Ms.toFixed(1)} ms (P99), bound ${bound.toFixed(1)} ms`
  }
}

function noMismatch({ load: { checked, mismatched } }: Evidence): Check {
  return {
    name: 'no-mismatch',
    ok: mismatched === 0 && checked > 0,
    detail: `${mismatched} of ${checked} checked forecasts were wrong`
  }
}

function steady({ warmUp }: Evidence): Check {
  return {
    name: 'steady',
    ok: warmUp.steady,
    detail: `answers a second in the warm-up: ${warmUp.windows.map(rate => rate.toFixed(0)).join(', ')}`
  }
}

function samples({ load }: Evidence): Check {
  const good = goodOf(load)
  const minimum = MINIMUM_SAMPLES.p99
  return { name: 'samples', ok: good >= minimum, detail: `${good} good answers, P99 needs ${minimum}` }
}
