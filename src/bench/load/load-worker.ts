import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Fleet } from './autocannon.js'
import type { ReadAnswer } from './autocannon-user.js'
import { monotonicMs } from '../../clock.js'
import { LoadRandom } from './random.js'
import { type Call, type CallPlan, makeCalls } from './calls/calls.js'
import { type CallAnswer, PROTOCOLS } from './calls/protocol.js'
import type { LoadWorkerInterval } from '../samples/merge.js'
import type { LoadWorkerOptions, LoadWorkerReply, LoadWorkerRequest } from './messages.js'
import { Arrivals } from './open-loop.js'
import { Recorder } from './recorder.js'
import type { Counts } from '../samples/tally.js'

// The entry of a load worker: a process that makes a part of the load and does what its parent asks over their channel.

/** Ms between two samples of the event loop's delay; what is sampled is the time between them. */
const LOOP_SAMPLE_MS = 100

class LoadWorker {
  readonly #recorder = new Recorder()
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS })
  #fleet: Fleet | undefined
  #isDraining = false

  start(order: LoadWorkerOptions): null {
    const { bodies, expected, seed, checkEvery, timeoutMs, ratePerSecond } = order
    const calls = makeCalls(bodies, expected, order.calls)
    const draw = new LoadRandom({ seed, bodies: calls.length, checkEvery })
    const recorder = this.#recorder
    this.#fleet = new Fleet({
      ...order,
      recorder,
      draw,
      ...(ratePerSecond !== undefined && { arrivals: new Arrivals({ ratePerSecond, timeoutMs, draw, recorder }) }),
      requests: calls.map(({ request }) => request),
      readsAll: PROTOCOLS[order.calls.protocol].failures !== undefined,
      read: (answer, call, isChecked) => readAnswer(answer, calls[call]!, isChecked, order.calls)
    })
    this.#loop.enable()
    void this.#tick()
    return null
  }

  async begin(at: number): Promise<null> {
    await this.#recorder.begin(at)
    this.#loop.reset()
    return null
  }

  async end(at: number): Promise<LoadWorkerInterval> {
    const { tally, elapsedMs, perSecond } = await this.#recorder.end(at)
    const openMs = this.#fleet?.openFor(monotonicMs()) ?? []
    const eventLoopP99Ms = Math.max(0, this.#loop.percentile(99) / 1e6 - LOOP_SAMPLE_MS)
    return {
      tally: tally.encode(),
      elapsedMs,
      perSecond: Array.from({ length: Math.floor(elapsedMs / 1000) }, (_, second) => perSecond[second] ?? 0),
      connections: this.#fleet?.connections ?? 0,
      openMs,
      eventLoopP99Ms
    }
  }

  async drain(): Promise<Counts> {
    await this.#fleet?.drain()
    this.#isDraining = true
    this.#recorder.finish()
    this.#loop.disable()
    return this.#recorder.whole.counts
  }

  /** Tells the parent of each whole second, which begins and ends at the same time in all load workers. */
  async #tick(): Promise<void> {
    let at = Math.ceil(monotonicMs() / 1000) * 1000
    await this.#recorder.second(at)
    while (!this.#isDraining) {
      at += 1000
      const tally = await this.#recorder.second(at)
      if (!this.#isDraining) reply({ tickAt: at, tally: tally.encode() })
    }
  }
}

/** What is recorded of a 2xx answer. One in which windows failed is counted as such, and not compared. */
function readAnswer(answer: CallAnswer, { expected }: Call, isChecked: boolean, plan: CallPlan): ReadAnswer {
  const protocol = PROTOCOLS[plan.protocol]
  const failures = protocol.failures?.(answer) ?? []
  const isCompared = isChecked && expected !== null && failures.length === 0
  return { failures, matched: isCompared ? protocol.isExpected(answer, expected, plan) : undefined }
}

const loadWorker = new LoadWorker()

function reply(message: LoadWorkerReply, sent: () => void = () => undefined): void {
  // The parent may be gone by now: then this process ends with the channel.
  if (process.connected) process.send!(message, sent)
}

async function answer(request: LoadWorkerRequest): Promise<void> {
  switch (request.name) {
    case 'start':
      return reply({ id: request.id, answers: loadWorker.start(request.asks) })
    case 'begin':
      return reply({ id: request.id, answers: await loadWorker.begin(request.asks.at) })
    case 'end':
      return reply({ id: request.id, answers: await loadWorker.end(request.asks.at) })
    case 'drain':
      // Not before the parent has it: what is still to be written when the channel closes is lost.
      reply({ id: request.id, answers: await loadWorker.drain() }, () => process.disconnect())
  }
}

process.on('message', (request: LoadWorkerRequest) => void answer(request))
process.on('disconnect', () => process.exit())
