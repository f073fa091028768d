import { cellFigures } from '../analysis/figures.js'
import type { Cell } from '../results/cell.schema.js'
import type { StoredRun } from '../results/store.js'
import { differences } from './compare.js'
import { details } from './details.js'
import { digits, failedChecks, markdownTable, twoPlaces } from './format.js'

/** Folder, within one of results, of the same cells as Locust measured them. */
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

/** Section that puts what Locust measured beside our own generator's figures of the same cells. */
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
    `Locust sent the same bodies with as many users and load workers, begun ${locust.run.startedAt}. CPU is in cores, over the measured interval.`,
    ...differences(run, { ...locust.run, generator: run.generator }),
    markdownTable(
      COLUMNS,
      twins.flatMap(({ ours, locust }) => [rowTexts('autocannon', ours), rowTexts('locust', locust)])
    ),
    '### What explains the differences',
    twins.map(twin => `- ${twin.ours.plan.key}: ${explain(twin)}`).join('\n'),
    'Locust rounds latencies to whole ms below 100, and to two significant digits above. The loop is closed with both: a user waits for its answer, so RPS x (mean + think time) is the number of users, and the generator with less throughput shows the longer latencies, not the slower service. What a round takes beyond both is waiting within the generator, between an answer and the next request: a worker of Locust is one thread, and its clock runs only from the sending on.'
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
  if (ourUs === null || theirUs === null) return 'one of them got no good answer.'
  return (
    [
      `Locust got ${twoPlaces(b.rps / a.rps)} times the RPS`,
      `its workers used ${twoPlaces(theirUs / ourUs)} times the CPU an answer (${digits(theirUs)} against ${digits(ourUs)} us) and left the servers ${serving(locust)} cores, against ${serving(ours)}`,
      `its medians differ by ${medians(a.p50Ms, b.p50Ms)}`,
      `RPS x (mean + think time) is ${users(locust)} with Locust and ${users(ours)} with ours, for ${ours.plan.users} users: of each round, ${outside(locust)} and ${outside(ours)} ms are in neither`,
      `limited by ${locust.limiter.what} and by ${ours.limiter.what}`
    ].join('; ') + '.'
  )
}

/** Cores that replicas and HAProxy used. */
function serving(cell: Cell): string {
  const { replicas, haproxy } = details(cell).cores
  return replicas === null ? 'an unknown number of' : digits(replicas + (haproxy ?? 0))
}

/** By how much, and whether rounding alone explains that. */
function medians(ours: number | null, theirs: number | null): string {
  if (ours === null || theirs === null) return 'what is not known'
  const difference = theirs - ours
  const step = theirs < 100 ? 1 : 10 ** (Math.floor(Math.log10(theirs)) - 1)
  const isRounding = Math.abs(difference) <= step / 2
  return `${digits(difference)} ms, ${isRounding ? 'no more than it rounds by' : `more than it rounds by (${digits(step / 2)} ms)`}`
}

/** Little's law. */
function users(cell: Cell): string {
  const { rps, meanMs } = cellFigures(cell)
  return digits((rps * (meanMs + cell.plan.thinkMs)) / 1000)
}

/** Ms of a user's round, users / RPS, that are neither latency nor think time. */
function outside(cell: Cell): string {
  const { rps, meanMs } = cellFigures(cell)
  return digits(Math.max(0, (1000 * cell.plan.users) / rps - meanMs - cell.plan.thinkMs))
}
