import { cellFigures, usersByLittle } from '../analysis/figures.js'
import type { Cell } from '../results/cell.schema.js'
import type { StoredRun } from '../results/store.js'
import { differences } from './compare.js'
import { details } from './details.js'
import { digits, failedChecks, markdownTable, twoPlaces } from './format.js'

/** Folder within a folder of results that holds the same cells as measured by Locust. */
export const CROSS_CHECK = 'locust'

/** One cell by both generators. */
interface Twin {
  ours: Cell
  locust: Cell
}

const COLUMNS = [
  'cell',
  'generator',
  'RPS (req/s)',
  'Median (ms)',
  'P95 (ms)',
  'P99 (ms)',
  'Failures (%)',
  'CPU generator',
  'CPU an answer, generator (us)',
  'CPU replicas',
  'CPU HAProxy',
  'rows a batch',
  'checks failed'
]

/** The section with the figures of Locust and of our own generator for the same cells; none without such a cell. */
export function crossCheckSection(
  { run, cells }: Pick<StoredRun, 'run' | 'cells'>,
  locust: Pick<StoredRun, 'run' | 'cells'>
): string[] {
  const twins = locust.cells.flatMap(other => {
    const ours = cells.find(({ plan }) => plan.key === other.plan.key)
    return ours ? [{ ours, locust: other }] : []
  })
  const count = { 1: 'cell', 3: 'three cells' }[twins.length] ?? `${twins.length} cells`
  if (twins.length === 0) return []
  return [
    `## Two generators, the same ${count}`,
    `Locust sent the same bodies with as many users and load workers. The run with Locust began at ${locust.run.startedAt}. CPU is in cores, over the measured interval.`,
    ...differences(run, { ...locust.run, generator: run.generator }),
    markdownTable(
      COLUMNS,
      twins.flatMap(({ ours, locust }) => [rowTexts('autocannon', ours), rowTexts('locust', locust)])
    ),
    '### What explains the differences',
    twins.map(twin => `- ${twin.ours.plan.key}: ${explain(twin)}`).join('\n'),
    'Locust rounds latencies to whole ms below 100, and to two significant digits above.',
    "Both generators run a closed loop: a user waits for an answer before the next request. By Little's law, RPS x (mean + think time) is the number of users who wait for an answer or think. So the generator with less throughput shows longer latencies of the same service.",
    'The users that this number lacks waited inside the generator, between an answer and the next request. A load worker of Locust has one thread, which its users share. No latency includes their wait for the thread, because a latency begins when the request is sent.'
  ]
}

function rowTexts(generator: string, cell: Cell): string[] {
  const { rps, p50Ms, p95Ms, p99Ms, failurePercent } = cellFigures(cell)
  const { cores, batchRows } = details(cell)
  const text = (value: number | null): string => (value === null ? '' : digits(value))
  return [
    cell.plan.key,
    generator,
    digits(rps),
    text(p50Ms),
    text(p95Ms),
    text(p99Ms),
    twoPlaces(failurePercent),
    digits(cores.generator),
    text(generatorUs(cell)),
    text(cores.replicas),
    text(cores.haproxy),
    text(batchRows),
    failedChecks(cell).join('; ')
  ]
}

/** CPU time that the generator spends on a good answer, in µs. */
function generatorUs(cell: Cell): number | null {
  const { good } = cellFigures(cell)
  return good === 0 ? null : (cell.generator.cpuSeconds / good) * 1e6
}

function explain({ ours, locust }: Twin): string {
  const [a, b] = [cellFigures(ours), cellFigures(locust)]
  const [ourUs, theirUs] = [generatorUs(ours), generatorUs(locust)]
  if (ourUs === null || theirUs === null) return 'One generator got no good answer.'
  return [
    `Locust got ${twoPlaces(b.rps / a.rps)} times the RPS.`,
    `Locust's load workers used ${twoPlaces(theirUs / ourUs)} times the CPU an answer (${digits(theirUs)} against ${digits(ourUs)} us).`,
    `The servers used ${serving(locust)} cores under Locust, and ${serving(ours)} under autocannon.`,
    medians(a.p50Ms, b.p50Ms),
    `RPS x (mean + think time) is ${users(locust)} with Locust and ${users(ours)} with autocannon, for ${ours.plan.users} users.`,
    `Of each round, ${outside(locust)} ms (Locust) and ${outside(ours)} ms (autocannon) are neither latency nor think time.`,
    `The limiter was ${locust.limiter.what} with Locust and ${ours.limiter.what} with autocannon.`
  ].join(' ')
}

/** Cores that replicas and HAProxy used. */
function serving(cell: Cell): string {
  const { replicas, haproxy } = details(cell).cores
  return replicas === null ? 'an unknown number of' : digits(replicas + (haproxy ?? 0))
}

/** How far the medians differ, and whether Locust's rounding alone explains the difference. */
function medians(ours: number | null, theirs: number | null): string {
  if (ours === null || theirs === null) return 'The medians cannot be compared.'
  const difference = theirs - ours
  const step = theirs < 100 ? 1 : 10 ** (Math.floor(Math.log10(theirs)) - 1)
  const isRounding = Math.abs(difference) <= step / 2
  return `Locust's median differs by ${digits(difference)} ms, ${isRounding ? 'no more than' : 'more than'} Locust's rounding (${digits(step / 2)} ms).`
}

/** Users that are waiting or thinking by Little's law. */
function users(cell: Cell): string {
  const { rps, meanMs } = cellFigures(cell)
  return digits(usersByLittle(rps, meanMs, cell.plan.thinkMs))
}

/** Ms of a user's round, users / RPS, that are neither latency nor think time. */
function outside(cell: Cell): string {
  const { rps, meanMs } = cellFigures(cell)
  return digits(Math.max(0, (1000 * cell.plan.users) / rps - meanMs - cell.plan.thinkMs))
}
