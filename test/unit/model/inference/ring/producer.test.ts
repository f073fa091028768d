import t from 'tap'
import { RingProducer } from '../../../../../src/model/inference/ring/producer.js'
import { Control, SharedSlots, SlotState } from '../../../../../src/model/inference/ring/slots.js'

/** A lane whose counters begin at `start`, with a hand that plays the worker. */
function laneAt(start: number, slotCount = 4) {
  const slots = new SharedSlots({ slots: slotCount, rings: 1, windowRows: 2, featureCount: 3 })
  const ring = slots.rings[0]!
  for (const counter of [Control.PUBLISHED, Control.TAKEN, Control.RETIRED]) ring.control[counter] = start
  const lane = new RingProducer(slots, ring)
  const collected: number[] = []
  return {
    lane,
    slots,
    ring,
    collect: () => {
      lane.collect(slot => collected.push(slot))
      return collected.splice(0)
    },
    /** the worker retires as many */
    retire: (count: number) => (ring.control[Control.RETIRED] = (ring.control[Control.RETIRED]! + count) | 0)
  }
}

t.test('slots come back in order, once, also where the counters wrap', t => {
  for (const start of [0, 2 ** 31 - 3, -2, -1]) {
    const { lane, ring, collect, retire } = laneAt(start | 0)
    for (let round = 0; round < 4; round++) {
      for (const slot of [3, 1, 2]) lane.put(slot)
      t.equal(lane.outstanding, 3)
      lane.publish()
      t.equal((ring.control[Control.PUBLISHED]! - start) | 0, 3 * (round + 1))
      retire(2)
      t.same(collect(), [3, 1])
      retire(1)
      t.same(collect(), [2])
      t.equal(lane.outstanding, 0)
    }
  }
  t.end()
})

t.test('every slot fits into a ring at once, whatever their number', t => {
  for (const count of [1, 2, 3, 5, 64, 1000]) {
    const { lane, collect, retire } = laneAt(0, count)
    const all = Array.from({ length: count }, (_, slot) => slot)
    for (const slot of all) lane.put(slot)
    lane.publish()
    retire(count)
    t.same(collect(), all)
  }
  t.end()
})

t.test('rows are handed over within a turn, so that the worker does not wait for its end', t => {
  const { lane, ring } = laneAt(0, 64)
  for (let slot = 0; slot < 40; slot++) lane.put(slot)
  t.ok(ring.control[Control.PUBLISHED]! > 0)
  t.end()
})

t.test('publishing wakes a worker that sleeps, once', t => {
  const { lane, ring } = laneAt(0)
  ring.control[Control.ASLEEP] = 1
  lane.put(0)
  t.equal(ring.control[Control.ASLEEP], 1, 'nothing is published yet')
  lane.publish()
  t.equal(ring.control[Control.ASLEEP], 0)
  t.end()
})

t.test('asking for a wake-up tells of what was retired meanwhile', t => {
  const { lane, ring, retire } = laneAt(0)
  lane.put(0)
  lane.publish()
  t.equal(lane.askForWake(), false)
  t.equal(ring.control[Control.WAKE_MAIN], 1)
  retire(1)
  t.equal(lane.askForWake(), true)
  t.end()
})

t.test('a dead worker fails what it ran and leaves what waited to its successor', t => {
  const { lane, slots, ring, collect } = laneAt(-2)
  for (const slot of [0, 1, 2, 3]) lane.put(slot)
  lane.publish()
  slots.state[0] = SlotState.DONE
  slots.state[1] = SlotState.RUNNING
  slots.state[2] = SlotState.CANCELLED
  lane.abandon(true)
  t.same(collect(), [0, 1, 2])
  t.same([...slots.state], [SlotState.DONE, SlotState.FAILED, SlotState.CANCELLED, SlotState.WAITING])
  t.equal(ring.control[Control.TAKEN], ring.control[Control.RETIRED])
  t.equal(lane.outstanding, 1)
  t.end()
})
