import { Fleet, type FleetOptions } from '../../src/bench/load/autocannon.js'
import { LoadRandom } from '../../src/bench/load/random.js'
import { Recorder } from '../../src/bench/load/recorder.js'

export interface FleetOrder extends Partial<Omit<FleetOptions, 'recorder' | 'draw' | 'requests' | 'read'>> {
  url: string
  bodies?: readonly string[]
  checkEvery?: number
  /** whether the answer to the body of this number is right */
  check?: (text: string, body: number) => boolean
}

/** The users of one load worker, in this process. */
export function startFleet({ checkEvery = 1, bodies = ['{}'], check, ...order }: FleetOrder) {
  const recorder = new Recorder()
  const draw = new LoadRandom({ seed: 1, bodies: bodies.length, checkEvery })
  const fleet = new Fleet({
    ...{ users: 1, thinkMs: 0, timeoutMs: 30_000 },
    ...order,
    requests: bodies.map(body => ({ body })),
    read: ({ body }, request, isChecked) => ({ matched: isChecked ? check?.(body.toString(), request) : undefined }),
    recorder,
    draw
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
