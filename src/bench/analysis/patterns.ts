import { type Curve, saturation } from './curves.js'
import { isDoubtful, isLimitedBy, isLoadLimited, type Row } from './figures.js'
import { mean, tInterval } from './statistics.js'

type Answer = 'confirmed' | 'refuted' | 'undecidable'

/** What the data say about a claim, and the figures that say it. */
export interface Finding {
  answer: Answer
  figures: string
}

/** Share of linear speed-up that still counts as linear growth. */
const LINEAR = 0.8
/** Differences below this share are of no account. */
const DEAD_BAND = 0.05
/** Gain of an added replica, relative to the first ones', below which returns have diminished. */
const DIMINISHED = 0.5

/**
 * "Throughput grows linearly until saturation": at every replica count before the first within 10 % of the best, RPS is
 * at least 80 % of linear speed-up over the smallest replica count. Saturation may set in between two counts. So the count at which
 * saturation shows speaks for the claim at 80 % or more, and not against the claim below.
 */
export const growsLinearly = ofServers(curve => {
  const first = curve.rows[0]!
  const saturated = saturation(curve)
  const share = (row: Row): number => row.rps.median / ((first.rps.median * row.replicas) / first.replicas)
  const upTo = curve.rows.filter(({ replicas }) => replicas > first.replicas && replicas <= saturated.replicas)
  const tested = upTo.filter(row => row !== saturated || share(row) >= LINEAR)
  const shares = upTo.map(row => `${share(row).toFixed(2)} at ${row.replicas}`).join(', ')
  if (first.rps.median === 0) return undecidable('no good answer at the smallest replica count')
  if (upTo.length === 0) return undecidable(`RPS saturates at the smallest replica count, ${first.replicas}`)
  const figures = `RPS saturates at ${saturated.replicas} replicas; share of linear speed-up over ${first.replicas}: ${shares}`
  if (tested.length === 0) return undecidable(`${figures}; no replica count lies between`)
  return { answer: tested.every(row => share(row) >= LINEAR) ? 'confirmed' : 'refuted', figures }
})

/** "Latency falls with replicas": the median is lower at the most replicas than at the fewest, and no step raises it. */
export function latencyFalls({ rows: all }: Curve): Finding {
  const rows = all.filter(row => !isDoubtful(row))
  const known = rows.flatMap(({ replicas, p50Ms }) => (p50Ms ? [{ replicas, ms: p50Ms.median }] : []))
  if (known.length < 2) return undecidable('fewer than two replica counts')
  const figures = `median latency ${known.map(({ replicas, ms }) => `${ms.toFixed(1)} ms at ${replicas}`).join(', ')}`
  const changes = known.slice(1).map(({ ms }, index) => ms / known[index]!.ms - 1)
  const whole = known.at(-1)!.ms / known[0]!.ms - 1
  if (Math.max(whole, ...changes) > DEAD_BAND) return { answer: 'refuted', figures }
  return whole < -DEAD_BAND ? { answer: 'confirmed', figures } : undecidable(`${figures}; all changes are within 5 %`)
}

/**
 * "Diminishing returns past a point": from some count on, each added replica brings less than half of the RPS that each of
 * the fewest brings. Refuted for the counts measured when the last step still brings more.
 */
export const returnsDiminish = ofServers(({ rows }) => {
  const first = rows[0]!
  if (rows.length < 3) return undecidable('fewer than three replica counts')
  if (first.rps.median === 0) return undecidable('no good answer at the smallest replica count')
  const each = first.rps.median / first.replicas
  const gains = rows.slice(1).map((row, index) => {
    const before = rows[index]!
    const perReplica = (row.rps.median - before.rps.median) / (row.replicas - before.replicas)
    return { from: before.replicas, to: row.replicas, gain: perReplica / each }
  })
  const steps = gains.map(({ from, to, gain }) => `${gain.toFixed(2)} from ${from} to ${to}`).join(', ')
  const figures = `gain of each added replica, as a share of the RPS per replica at ${first.replicas}: ${steps}`
  const last = gains.findLastIndex(({ gain }) => gain >= DIMINISHED)
  const point = gains[last + 1]
  return point
    ? { answer: 'confirmed', figures: `past ${point.from} replica${point.from === 1 ? '' : 's'}; ${figures}` }
    : { answer: 'refuted', figures: `not up to ${rows.at(-1)!.replicas} replicas; ${figures}` }
})

/**
 * "8 load workers get more throughput than 4": the geometric mean of RPS(8) / RPS(4) over matching cells, with a 95 %
 * t-interval of its logarithm. Confirmed when the mean is above 1.05 and the interval above 1, refuted when the interval
 * ends below 1.05. One cell has no interval: its ratio decides when it is more than 5 % from 1.
 */
export function moreLoadWorkersHelp(rows: readonly Row[]): Finding {
  const ratios = rows.flatMap(row => {
    // Where the users' pauses decide the throughput they do so with however many load workers.
    const other =
      row.loadWorkers === 4 && !isLimitedBy(row, 'think time') && !isDoubtful(row)
        ? rows.find(other => other.loadWorkers === 8 && isSameLoad(row, other) && !isDoubtful(other))
        : undefined
    return other && row.rps.median > 0 && other.rps.median > 0 ? [other.rps.median / row.rps.median] : []
  })
  if (ratios.length === 0) return undecidable('no cell was measured with 4 and with 8 load workers')
  const logs = ratios.map(Math.log)
  const centre = Math.exp(mean(logs))
  const interval = tInterval(logs)
  if (!interval) return { answer: outsideBand(centre), figures: `RPS(8) / RPS(4) = ${centre.toFixed(2)} in one cell` }
  const [low, high] = [Math.exp(interval[0]), Math.exp(interval[1])]
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  const figures = `RPS(8) / RPS(4) = ${centre.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}], ${range} in ${ratios.length} cells`
  if (centre > 1 + DEAD_BAND && low > 1) return { answer: 'confirmed', figures }
  return { answer: high < 1 + DEAD_BAND ? 'refuted' : 'undecidable', figures }
}

/** Judges a claim about throughput by the counts at which the servers, and not the load, were the limit. */
function ofServers(judge: (curve: Curve) => Finding): (curve: Curve) => Finding {
  return curve => {
    const rows = curve.rows.filter(row => !isLoadLimited(row) && !isDoubtful(row))
    if (rows.length === curve.rows.length) return judge(curve)
    const leftOut = [
      without('the load was the limit', curve.rows.filter(isLoadLimited)),
      without('a check failed', curve.rows.filter(isDoubtful))
    ]
      .flat()
      .join('; ')
    if (rows.length < 2) return undecidable(leftOut)
    const { answer, figures } = judge({ ...curve, rows })
    return { answer, figures: `${figures}; ${leftOut}` }
  }
}

function without(why: string, rows: readonly Row[]): string[] {
  return rows.length === 0 ? [] : [`${why} at ${rows.map(({ replicas }) => replicas).join(', ')} replicas`]
}

/** One answer for all curves: what those say that can be decided, undecidable where they disagree. */
export function overall(findings: readonly Finding[]): Finding {
  const count = (wanted: Answer): number => findings.filter(({ answer }) => answer === wanted).length
  const [confirmed, refuted, open] = [count('confirmed'), count('refuted'), count('undecidable')]
  const figures = `confirmed by ${confirmed}, refuted by ${refuted}, left open by ${open} of ${findings.length} curves`
  if (confirmed > 0 && refuted === 0) return { answer: 'confirmed', figures }
  return { answer: refuted > 0 && confirmed === 0 ? 'refuted' : 'undecidable', figures }
}

const undecidable = (figures: string): Finding => ({ answer: 'undecidable', figures })

function outsideBand(ratio: number): Answer {
  if (ratio > 1 + DEAD_BAND) return 'confirmed'
  return ratio < 1 - DEAD_BAND ? 'refuted' : 'undecidable'
}

function isSameLoad(a: Row, b: Row): boolean {
  const isMatrix = a.phase !== 'standalone' && b.phase !== 'standalone'
  return isMatrix && a.replicas === b.replicas && a.users === b.users && a.thinkMs === b.thinkMs
}
