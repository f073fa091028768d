import t from 'tap'
import { type LongForecast, LongForecasts } from '../../../../../src/model/inference/backlog/long-forecasts.js'

const FAST = { queued: 0, rowsPerMs: 1000 }

/** Forecasts by name, and what became of them in order. */
function ordered(limit: number) {
  const long = new LongForecasts(limit)
  const events: string[] = []
  const make = (name: string, steps = 30, deadline = 1000): LongForecast => ({
    steps,
    deadline,
    begin: () => events.push(`${name} begins`),
    tooLate: () => events.push(`${name} is late`)
  })
  return { long, make, seen: () => events.splice(0) }
}

t.test('as many as the limit are under way, the others begin in the order in which they came', t => {
  const { long, make, seen } = ordered(2)
  for (const name of ['a', 'b', 'c', 'd']) long.enter(make(name))
  t.same(seen(), ['a begins', 'b begins'])
  t.equal(long.steps, 120)
  long.ended(0, 0, FAST)
  t.same(seen(), ['c begins'])
  long.ended(0, 0, FAST)
  t.same(seen(), ['d begins'])
  t.end()
})

t.test('steps that have been run, and those that never will be, are no work ahead', t => {
  const { long, make } = ordered(1)
  long.enter(make('a', 5))
  long.enter(make('b', 7))
  long.stepped()
  long.stepped()
  t.equal(long.steps, 10)
  long.ended(3, 0, FAST)
  t.equal(long.steps, 7, 'the first was given up on')
  for (let step = 0; step < 7; step++) long.stepped()
  long.ended(0, 0, FAST)
  t.equal(long.steps, 0)
  t.equal(long.underWay, 0)
  t.end()
})

t.test('one whose turn comes too late for all its steps is not begun, the next one is', t => {
  const { long, make, seen } = ordered(1)
  for (const [name, deadline] of [
    ['a', 1000],
    ['b', 1000],
    ['c', 2000]
  ] as const) {
    long.enter(make(name, 30, deadline))
  }
  seen()
  // 30 rounds of ten rows at a row a millisecond: 300 ms, and 200 are left to the second one.
  long.ended(0, 800, { queued: 10, rowsPerMs: 1 })
  t.same(seen(), ['b is late', 'c begins'])
  t.equal(long.steps, 60, 'what the first has not run is told by its owner')
  t.end()
})

t.test('one that waits past its deadline is given up on, one whose caller has gone is forgotten', t => {
  const { long, make, seen } = ordered(1)
  const gone = make('gone', 10, 500)
  long.enter(make('a', 10, 500))
  long.enter(gone)
  long.enter(make('late', 10, 600))
  long.enter(make('in time', 10, 900))
  seen()
  t.equal(long.withdraw(gone), true)
  t.equal(long.withdraw(gone), false, 'once')
  long.expire(700)
  t.same(seen(), ['late is late'])
  t.equal(long.steps, 20)
  t.end()
})

t.test('a forecast is expected to end behind those that came before, and beside what else is in the rings', t => {
  const { long, make } = ordered(2)
  const work = { queued: 0, rowsPerMs: 1 }
  t.equal(long.expectedMs([30], work), 30, 'alone: 30 rounds of one row')
  long.enter(make('a'))
  long.enter(make('b'))
  t.equal(long.expectedMs([30], { queued: 2, rowsPerMs: 1 }), 90, '60 steps before its own 30')
  t.equal(long.expectedMs([30], { queued: 8, rowsPerMs: 1 }), 360, '45 rounds of two long rows and six others')
  t.equal(long.expectedMs([30], { queued: 8, rowsPerMs: 4 }), 90, 'four times as fast')
  t.end()
})
