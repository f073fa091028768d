import { Fleet, type FleetOptions } from '../../src/bench/load/autocannon.js'
import { LoadRandom } from '../../src/bench/load/random.js'
import { Recorder } from '../../src/bench/load/recorder.js'

export type FleetOrder = Partial<Omit<FleetOptions, 'recorder' | 'draw'>> & { url: string; checkEvery?: number }

/** The users of one load worker, in this process. */
export function startFleet({ checkEvery = 1, ...order }: FleetOrder) {
  const recorder = new Recorder()
  const bodies = order.bodies ?? ['{}']
  const draw = new LoadRandom({ seed: 1, bodies: bodies.length, checkEvery })
  const fleet = new Fleet({
    ...{ users: 1, thinkMs: 0, timeoutMs: 30_000, check: () => undefined },
    ...order,
    ...{ bodies, recorder, draw }
  })
  return {
    fleet,
    draw,
    recorder,
    /** drains, and gives what all requests came to */
    async whole() {
      await fleet.drain()
      recorder.finish()
      return recorder.whole
    }
  }
}
