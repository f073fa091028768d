import t from 'tap'
import { RingProducer } from '../../../../../src/model/inference/ring/producer.js'
import { Control, SharedSlots, SlotState } from '../../../../../src/model/inference/ring/slots.js'

/** A ring producer whose counters begin at `start`, with a hand that plays the worker. */
function producerAt(start: number, slotCount = 4) {
  const slots = new SharedSlots({ slots: slotCount, rings: 1, windowRows: 2, featureCount: 3 })
  const ring = slots.rings[0]!
  for (const counter of [Control.PUBLISHED, Control.TAKEN, Control.RETIRED]) ring.control[counter] = start
  const producer = new RingProducer(slots, ring)
  const collected: number[] = []
  return {
    producer,
    slots,
    ring,
    collect: () => {
      producer.collect(slot => collected.push(slot))
      return collected.splice(0)
    },
    /** the worker retires as many */
    retire: (count: number) => (ring.control[Control.RETIRED] = (ring.control[Control.RETIRED]! + count) | 0)
  }
}

t.test('slots come back in order, once, also where the counters wrap', t => {
  for (const start of [0, 2 ** 31 - 3, -2, -1]) {
    const { producer, ring, collect, retire } = producerAt(start | 0)
    for (let round = 0; round < 4; round++) {
      for (const slot of [3, 1, 2]) producer.put(slot)
      t.equal(producer.outstanding, 3)
      producer.publish()
      t.equal((ring.control[Control.PUBLISHED]! - start) | 0, 3 * (round + 1))
      retire(2)
      t.same(collect(), [3, 1])
      retire(1)
      t.same(collect(), [2])
      t.equal(producer.outstanding, 0)
    }
  }
  t.end()
})

t.test('every slot fits into a ring at once, whatever their number', t => {
  for (const count of [1, 2, 3, 5, 64, 1000]) {
    const { producer, collect, retire } = producerAt(0, count)
    const all = Array.from({ length: count }, (_, slot) => slot)
    for (const slot of all) producer.put(slot)
    producer.publish()
    retire(count)
    t.same(collect(), all)
  }
  t.end()
})

t.test('rows are handed over within a turn, so that the worker does not wait for its end', t => {
  const { producer, ring } = producerAt(0, 64)
  for (let slot = 0; slot < 40; slot++) producer.put(slot)
  t.ok(ring.control[Control.PUBLISHED]! > 0)
  t.end()
})

t.test('publishing wakes a worker that sleeps, once', t => {
  const { producer, ring } = producerAt(0)
  ring.control[Control.ASLEEP] = 1
  producer.put(0)
  t.equal(ring.control[Control.ASLEEP], 1, 'nothing is published yet')
  producer.publish()
  t.equal(ring.control[Control.ASLEEP], 0)
  t.end()
})

t.test('asking for a wake-up tells of what was retired meanwhile', t => {
  const { producer, ring, retire } = producerAt(0)
  producer.put(0)
  producer.publish()
  t.equal(producer.askForWake(), false)
  t.equal(ring.control[Control.WAKE_MAIN], 1)
  retire(1)
  t.equal(producer.askForWake(), true)
  t.end()
})

t.test('a dead worker fails what it ran and leaves what waited to its successor', t => {
  const { producer, slots, ring, collect } = producerAt(-2)
  for (const slot of [0, 1, 2, 3]) producer.put(slot)
  producer.publish()
  slots.state[0] = SlotState.DONE
  slots.state[1] = SlotState.RUNNING
  slots.state[2] = SlotState.CANCELLED
  producer.abandon(true)
  t.same(collect(), [0, 1, 2])
  t.same([...slots.state], [SlotState.DONE, SlotState.FAILED, SlotState.CANCELLED, SlotState.WAITING])
  t.equal(ring.control[Control.TAKEN], ring.control[Control.RETIRED])
  t.equal(producer.outstanding, 1)
  t.end()
})
