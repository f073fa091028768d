import { levenbergMarquardt } from 'ml-levenberg-marquardt'
import { median } from './statistics.js'

/** A throughput that was measured with so many replicas. */
export interface Point {
  n: number
  /** req/s */
  rps: number
}

/** X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)): the Universal Scalability Law (Gunther 2007). */
export interface Usl {
  /** req/s of one replica alone */
  lambda: number
  /** contention: share of the work that is done by one at a time */
  sigma: number
  /** cost of agreeing, for each pair */
  kappa: number
}

/** Relative errors of predictions for points that the fit had not seen. */
export interface HeldOut {
  median: number
  worst: number
}

/** Three parameters need as many counts. */
const MINIMUM_POINTS = 3
/**
 * The fit ends in the nearest valley, so it begins at several places. At a root of 0 the slope is 0: what begins there
 * stays there, which finds the best on each bound exactly.
 */
const STARTS = [0, 0.3].flatMap(sigma => [0, 0.01].map(kappa => ({ sigma, kappa })))

/**
 * Fits the law to relative errors, as least squares of ln X. Its parameters are ln lambda and the roots of sigma and kappa,
 * so none can be negative. Null with fewer than three counts, or where nothing was answered.
 */
export function fitUsl(points: readonly Point[]): Usl | null {
  if (new Set(points.map(({ n }) => n)).size < MINIMUM_POINTS || points.some(({ rps }) => rps <= 0)) return null
  const data = { x: points.map(({ n }) => n), y: points.map(({ rps }) => Math.log(rps)) }
  const start = Math.max(...points.map(({ n, rps }) => Math.log(rps / n)))
  const fits = STARTS.map(({ sigma, kappa }) =>
    levenbergMarquardt(data, logOfLaw, {
      initialValues: [start, Math.sqrt(sigma), Math.sqrt(kappa)],
      jacobianFunction: slopes,
      improvementThreshold: 1e-12,
      errorTolerance: 1e-14
    })
  )
  const best = fits.reduce((a, b) => (b.parameterError < a.parameterError ? b : a))
  const [logLambda, rootSigma, rootKappa] = best.parameterValues as [number, number, number]
  return { lambda: Math.exp(logLambda), sigma: rootSigma ** 2, kappa: rootKappa ** 2 }
}

/** What the law gives for n replicas, req/s. */
export function throughput({ lambda, sigma, kappa }: Usl, n: number): number {
  return (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1))
}

/** The count at which the law is highest; null when more always help, or one is the best already. */
export function peak({ sigma, kappa }: Usl): number | null {
  return kappa === 0 || sigma + kappa >= 1 ? null : Math.sqrt((1 - sigma) / kappa)
}

/** Fits without one point after the other, and compares each with what the others predict; null with too few of them. */
export function heldOutError(points: readonly Point[]): HeldOut | null {
  const errors = points.flatMap(point => {
    const fit = fitUsl(points.filter(other => other !== point))
    return fit ? [Math.abs(throughput(fit, point.n) / point.rps - 1)] : []
  })
  return errors.length < points.length || errors.length === 0
    ? null
    : { median: median(errors), worst: Math.max(...errors) }
}

const denominator = ([, s, k]: number[], n: number): number => 1 + s! ** 2 * (n - 1) + k! ** 2 * n * (n - 1)

const logOfLaw = (parameters: number[]) => (n: number) =>
  parameters[0]! + Math.log(n) - Math.log(denominator(parameters, n))

const slopes = (parameters: number[]) => (n: number) => {
  const [, s, k] = parameters as [number, number, number]
  const below = denominator(parameters, n)
  return [1, (-2 * s * (n - 1)) / below, (-2 * k * n * (n - 1)) / below]
}
