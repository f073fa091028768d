import t from 'tap'
import { capacity, heldOutCpuError } from '../../../../src/bench/analysis/capacity.js'
import { fitUsl, heldOutError, peak, throughput } from '../../../../src/bench/analysis/usl.js'

const COUNTS = [1, 2, 4, 8]
const points = (rps: number[]) => rps.map((value, index) => ({ n: COUNTS[index]!, rps: value }))
const law = (lambda: number, sigma: number, kappa: number): number[] =>
  COUNTS.map(n => (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1)))

/** Sum of squared errors of ln X for the best lambda, which is the mean of ln (X / law). */
function misfit(rps: number[], sigma: number, kappa: number): number {
  const logs = law(1, sigma, kappa).map((value, index) => Math.log(rps[index]! / value))
  const centre = logs.reduce((sum, log) => sum + log, 0) / logs.length
  return logs.reduce((sum, log) => sum + (log - centre) ** 2, 0)
}

t.test('the parameters that made a curve are found again, at their bounds too', t => {
  for (const [lambda, sigma, kappa] of [
    [1000, 0.05, 0.002],
    [40, 0.3, 0.05],
    [5000, 0.9, 0],
    [2000, 0, 0],
    [15.46, 0, 0.01]
  ] as const) {
    const fit = fitUsl(points(law(lambda, sigma, kappa)))!
    t.ok(Math.abs(fit.lambda / lambda - 1) < 1e-4, `lambda ${lambda}`)
    t.ok(Math.abs(fit.sigma - sigma) < 1e-4, `sigma ${sigma}`)
    t.ok(Math.abs(fit.kappa - kappa) < 1e-4, `kappa ${kappa}`)
  }
  t.end()
})

t.test('of figures that no curve goes through, the fit is as near as the best of a search over all parameters', t => {
  for (const rps of [
    [2500, 3100, 1650, 1160],
    [100, 210, 430, 800],
    [100, 190, 150, 400],
    [801, 981, 1167, 1397],
    [807, 1944, 4334, 6151]
  ]) {
    let best = Infinity
    for (let sigma = 0; sigma <= 2; sigma += 0.005) {
      for (let kappa = 0; kappa <= 1; kappa += 0.002) best = Math.min(best, misfit(rps, sigma, kappa))
    }
    const { sigma, kappa } = fitUsl(points(rps))!
    t.ok(sigma >= 0 && kappa >= 0)
    t.ok(misfit(rps, sigma, kappa) <= best * 1.001, `${rps}: ${misfit(rps, sigma, kappa)}, search ${best}`)
  }
  t.end()
})

t.test('three counts are needed, and answers at each', t => {
  t.equal(fitUsl(points([100, 200])), null)
  t.equal(fitUsl([...points([100, 200]), { n: 2, rps: 210 }]), null)
  t.equal(fitUsl(points([100, 200, 0])), null)
  t.end()
})

t.test('the peak is where the law is highest', t => {
  const fit = { lambda: 100, sigma: 0.1, kappa: 0.025 }
  t.equal(peak(fit), 6)
  t.ok(throughput(fit, 6) > throughput(fit, 5) && throughput(fit, 6) > throughput(fit, 7))
  t.equal(peak({ lambda: 100, sigma: 0.1, kappa: 0 }), null)
  t.end()
})

t.test('the error on held-out points is none for a true law, and large for a point that is off it', t => {
  const exact = heldOutError(points(law(1000, 0.05, 0.002)))!
  t.ok(exact.worst < 1e-3)
  // Four points on a line and one at half of it: held out, it is predicted twice too high
  const off = [1, 2, 4, 8, 16].map(n => ({ n, rps: n === 16 ? 800 : 100 * n }))
  t.ok(Math.abs(heldOutError(off)!.worst - 1) < 0.01)
  t.equal(heldOutError(points([100, 200, 300])), null, 'no point can be spared')
  t.end()
})

t.test('a capacity lies between CPU time alone and the worst contention found', t => {
  // 500 us an answer: 2000/s a core; 8000 x 1 / (1 + 0.5 x 3) = 3200 on four
  t.same(capacity(4, [400, 500, 900], [{ lambda: 1, sigma: 0.5, kappa: 0 }]), { cores: 4, most: 8000, least: 3200 })
  t.same(capacity(2, [500], []), { cores: 2, most: 4000, least: null })
  // sigma 0, kappa 0.25: shares of 1, 1/1.5, 1/2.5, 1/4 of each core, so best with two: 2000 x 2 / 1.5
  const least = capacity(4, [500], [{ lambda: 1, sigma: 0, kappa: 0.25 }]).least!
  t.ok(Math.abs(least - 8000 / 3) < 1e-9)
  t.end()
})

t.test("a cell's CPU an answer is compared with the others' median", t => {
  // 100 against 150 and 200 (175), 150 against 150, 200 against 125
  const error = heldOutCpuError([100, 150, 200])!
  t.ok(Math.abs(error.median - 75 / 175) < 1e-9)
  t.ok(Math.abs(error.worst - 0.6) < 1e-9)
  t.equal(heldOutCpuError([100]), null)
  t.end()
})
