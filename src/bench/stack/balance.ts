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
