import type { HaproxyStats } from '../stack/runtime-api.js'
import type { Target } from '../stack/target.js'
import { type Reading, takeReading, type WatchedReplica } from '../watch/reading.js'
import type { Edge } from './process.js'

/** Ms between two looks at how many connections there are. */
const LOOK_EVERY_MS = 500

/** What the server's side did in the interval. */
export interface IntervalReadings {
  readings: readonly [Reading, Reading]
  haproxy: readonly [HaproxyStats, HaproxyStats] | null
  /** the most at once that were seen; null where they cannot be counted */
  connections: number | null
}

interface EdgeReading {
  reading: Reading
  haproxy: HaproxyStats | null
}

/** Watches the server's side of an interval whose ends others decide. */
export class IntervalWatch {
  readonly #target: Target
  readonly #replicas: readonly WatchedReplica[]
  readonly #edges: Partial<Record<Edge, Promise<EdgeReading>>> = {}
  readonly #looks: Promise<number | null>[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(target: Target, replicas: readonly WatchedReplica[]) {
    this.#target = target
    this.#replicas = replicas
  }

  /** The interval has begun, or is over. */
  onEdge(edge: Edge): void {
    this.#look()
    if (edge === 'begins') this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    else this.stop()
    this.#edges[edge] = handled(this.#read(edge))
  }

  /**
   * Resolves when both ends are there and have been read.
   * @throws BenchError when HAProxy or a replica did not answer; Error when an end is missing
   */
  async figures(): Promise<IntervalReadings> {
    const [first, last] = await Promise.all([this.#edges.begins, this.#edges.ends])
    if (!first || !last) throw new Error('the interval has not both its ends')
    const seen = (await Promise.all(this.#looks)).filter(count => count !== null)
    return {
      readings: [first.reading, last.reading],
      haproxy: first.haproxy && last.haproxy && [first.haproxy, last.haproxy],
      connections: seen.length === 0 ? null : Math.max(...seen)
    }
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  async #read(edge: Edge): Promise<EdgeReading> {
    const { haproxy } = this.#target
    if (edge === 'begins') await haproxy?.clearMaxima()
    const reading = takeReading({ replicas: this.#replicas, haproxyPid: haproxy?.pid ?? null, generatorPids: [] })
    return { reading: await reading, haproxy: (await haproxy?.stats()) ?? null }
  }

  #look(): void {
    this.#looks.push(handled(this.#target.connections()))
  }
}

/** It is looked at later, if at all: until then a failure is nobody's surprise. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined)
  return promise
}
