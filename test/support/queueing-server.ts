import { monotonicMs } from '../../src/clock.js'
import { moodyServer, type MoodyServer } from './moody-server.js'

/**
 * A server with one queue and one place of service, first come, first served: M/M/1 with exponential service times, M/D/1 with
 * constant ones, for Poisson arrivals. Its times are those of its own clock, so that a timer that is late is made up for.
 */
export function queueingServer(serviceMs: () => number): Promise<MoodyServer> {
  let freeAt = 0
  return moodyServer(({ answer }) => {
    const now = monotonicMs()
    freeAt = Math.max(now, freeAt) + serviceMs()
    setTimeout(() => answer(200, '{}'), freeAt - now)
  })
}
