import t from 'tap'
import { deviation, estimate, mean, median, tInterval } from '../../../../src/bench/analysis/statistics.js'

t.test('the median of an even count is between the middle two, and the order of the values is of no account', t => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([10, 2, 1, 4]), 3)
  t.equal(median([7]), 7)
  t.end()
})

t.test('the deviation is that of a sample', t => {
  // Sum of squares of 2, 4, 4, 4, 5, 5, 7, 9 around 5 is 32; 32 / 7 = 4.571428...
  t.ok(Math.abs(deviation([2, 4, 4, 4, 5, 5, 7, 9]) - 2.138089935) < 1e-9)
  t.equal(deviation([3]), 0)
  t.equal(mean([1, 2, 6]), 3)
  t.end()
})

t.test("an interval over repeats is Student's, wide for two and near the normal's for many", t => {
  // s = sqrt 2.5, t(0.975, 4) = 2.776445 (printed tables): 3 ± 1.96324
  const [low, high] = tInterval([1, 2, 3, 4, 5])!
  t.ok(Math.abs(low - 1.0368) < 1e-3)
  t.ok(Math.abs(high - 4.9632) < 1e-3)
  // s = sqrt 2, t(0.975, 1) = 12.7062: 2 ± 12.7062
  t.ok(Math.abs(tInterval([1, 3])![1] - 14.7062) < 1e-3)
  // 50 values of 0 and 50 of 2: s = sqrt(100 / 99), 1.96 s / 10
  const many = [...new Array<number>(50).fill(0), ...new Array<number>(50).fill(2)]
  t.ok(Math.abs(tInterval(many)![1] - 1.19699) < 1e-4)
  t.end()
})

t.test('one repeat has no interval', t => {
  t.same(estimate([12]), { median: 12, interval: null })
  t.end()
})
