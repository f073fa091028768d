import type { MessagePort } from 'node:worker_threads'
import t from 'tap'
import { monotonicMs } from '../../../../../src/clock.js'
import { RingProducer } from '../../../../../src/model/inference/ring/producer.js'
import type { ForecastSession } from '../../../../../src/model/inference/worker/onnx-session.js'
import { SharedSlots, SlotState } from '../../../../../src/model/inference/ring/slots.js'
import { serveRing } from '../../../../../src/model/inference/ring/consumer.js'

const SHAPE = { slots: 8, rings: 1, windowRows: 1, featureCount: 1 }

/** Serves what `prepare` has put into the ring, in this thread, and returns the state of every slot and what was run. */
async function serve(prepare: (slots: SharedSlots, producer: RingProducer) => void, batchCap = 8) {
  const slots = new SharedSlots(SHAPE)
  const producer = new RingProducer(slots, slots.rings[0]!)
  slots.deadline.fill(monotonicMs() + 60_000)
  prepare(slots, producer)
  producer.publish()
  producer.stop()
  const ran: number[][] = []
  const run: ForecastSession['run'] = async ({ window }) => {
    ran.push([...window])
    if (window.includes(13)) throw new Error('not this one')
    return window.map(value => value * 2)
  }
  const session: ForecastSession = { inputs: [], outputs: [], run, release: async () => undefined }
  const port = { postMessage: () => undefined, close: () => undefined } as unknown as MessagePort
  const boot = {
    shape: SHAPE,
    buffer: slots.buffer,
    ring: 0,
    model: new SharedArrayBuffer(1),
    batchCap,
    background: false,
    usesMinute: false
  }
  await serveRing(boot, port, async () => session)
  const collected: number[] = []
  producer.collect(slot => collected.push(slot))
  return { slots, ran, collected }
}

t.test('a row whose deadline has passed when its turn comes is not run; its neighbours are', async t => {
  const { slots, ran, collected } = await serve((slots, producer) => {
    for (const slot of [0, 1, 2]) {
      slots.window[slot] = slot + 1
      producer.put(slot)
    }
    slots.deadline[1] = monotonicMs() - 1
  })
  t.same(ran, [[1, 3]])
  t.same([...slots.state.subarray(0, 3)], [SlotState.DONE, SlotState.EXPIRED, SlotState.DONE])
  t.same([slots.forecast[0], slots.forecast[2]], [2, 6])
  t.same(collected, [0, 1, 2], 'each comes back once, in order')
})

t.test('a row whose caller has gone is not run, and comes back even when no other does', async t => {
  const { slots, ran, collected } = await serve((slots, producer) => {
    producer.put(5)
    slots.state[5] = SlotState.CANCELLED
  })
  t.same(ran, [])
  t.equal(slots.state[5], SlotState.CANCELLED)
  t.same(collected, [5])
})

t.test('a batch is never larger than the cap, and a row that it fails for is found by running alone', async t => {
  const { slots, ran } = await serve((slots, producer) => {
    for (const slot of [0, 1, 2, 3, 4]) {
      slots.window[slot] = 11 + slot
      producer.put(slot)
    }
  }, 4)
  t.same(ran, [[11, 12, 13, 14], [11], [12], [13], [14], [15]])
  const { DONE, FAILED } = SlotState
  t.same([...slots.state.subarray(0, 5)], [DONE, DONE, FAILED, DONE, DONE])
  t.same([...slots.batchRows.subarray(0, 5)], [-4, 0, 0, 0, 1], 'each batch is counted once, and so is a rescue')
})
