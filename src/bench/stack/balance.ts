/** One replica takes all requests of a time slot of 16 ms, by the hash of its number; the next slot is likely another's. */
export const TIME_SLOTS = 'hash date(0,ms),div(16)'
/** Where each replica has a core: who has the fewest requests gets the next. */
export const LEAST_REQUESTS = 'leastconn'

/**
 * HAProxy's `balance` for replicas that share a host's cores, measured in docs/adr/0007-balance.md. Where there are more replicas than
 * cores they cannot work at the same time anyway, and taking turns lets each fill its batches.
 */
export function balanceFor(replicas: number, cores: number): string {
  return replicas > cores ? TIME_SLOTS : LEAST_REQUESTS
}

/** Concurrent requests that HAProxy allows in a sweep to each of several replicas, and to a single replica; the others wait in HAProxy. */
export const MAXCONN = { each: 64, single: 256 } as const

/**
 * HAProxy keeps requests back so that it can give each to the replica that is free first (docs/adr/0007-balance.md). Where there
 * is only one there is nothing to choose, and what is kept back only leaves the replica idle.
 */
export function maxconnFor(replicas: number): number {
  return replicas === 1 ? MAXCONN.single : MAXCONN.each
}
