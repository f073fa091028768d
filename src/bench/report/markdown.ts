import { cellFigures, type Row, tableRows } from '../analysis/figures.js'
import { mean } from '../analysis/statistics.js'
import type { Cell } from '../results/cell.schema.js'
import type { Run } from '../results/run.schema.js'
import { detailSection } from './details.js'
import { digits, figure, markdownTable, notes, seconds, twoPlaces } from './format.js'

/** The report's columns, word by word. */
export const COLUMNS = [
  'Inference Replicas',
  'Users',
  'RPS (req/s)',
  'Median (ms)',
  'P95 (ms)',
  'P99 (ms)',
  'Failures (%)',
  'Notes'
]

/** What the earlier table of the report says for 40 users: RPS by replicas, at a median of 110 ms. */
const PUBLISHED = { rps: { 1: 15.46, 2: 15.45, 4: 13.79 } as Record<number, number>, medianMs: 110, users: 40 }

/** What latencies are. */
const LATENCIES: Record<Run['generator'], string> = {
  autocannon: 'Latencies are of 2xx answers, from histograms in microseconds merged over all load workers.',
  locust:
    "The load is Locust's. Latencies are of all requests, failures too, as Locust rounds them: to whole ms below 100, to two significant digits above."
}

/** RESULTS.md of a run: a function of the run and its cells alone. */
export function resultsMarkdown(run: Run, cells: readonly Cell[], sections: readonly string[] = []): string {
  return (
    [
      '# Results',
      ...headSection(run, cells),
      ...phaseSections(run, cells),
      ...sections,
      ...detailSection(cells),
      ...fingerprintSection(run)
    ].join('\n\n') + '\n'
  )
}

/** A line of a phase's table. */
function rowTexts({ replicas, users, cells, ...row }: Row): string[] {
  const { rps, p50Ms, p95Ms, p99Ms, failurePercent } = row
  return [
    String(replicas),
    String(users),
    figure(rps),
    figure(p50Ms),
    figure(p95Ms),
    figure(p99Ms),
    figure(failurePercent, twoPlaces),
    notes(cells)
  ]
}

export interface Phase {
  title: string
  /** what has to be known to read its figures */
  conditions: string
  rows: Row[]
}

/** The tables of a run in the order of the report. */
export function phases(run: Run, cells: readonly Cell[]): Phase[] {
  const rows = tableRows(cells)
  const places = [...new Set(rows.map(({ phase, workers }) => `${phase}/${workers}`))]
  return places.map(place => {
    const inPhase = rows.filter(({ phase, workers }) => `${phase}/${workers}` === place)
    const [{ phase, workers, thinkMs, durationMs, cells }] = inPhase as [Row]
    const name = { 1: 'Phase 1: ', 2: 'Phase 2: ', standalone: 'Standalone: ', custom: '' }[phase]
    const repeats = cells.length > 1 ? `, median of ${cells.length} repeats [95 % t-interval]` : ''
    return {
      title: `${name}${workers} load workers`,
      conditions: `Think time ${thinkMs} ms${thinkMs === 0 ? ' (each user sends again at once)' : ''}, ${seconds(durationMs)} a cell after warm-up${repeats}${run.quick ? ', **quick: not for quoting**' : ''}.`,
      rows: inPhase
    }
  })
}

function headSection(run: Run, cells: readonly Cell[]): string[] {
  const { cpu, cores, balance, maxconn } = run.fingerprint
  const [each, single] = maxconn?.split(', alone ') ?? []
  const limit = each ? `, and allows ${each} concurrent requests to each of several replicas` : ''
  const limits = single ? `${limit}, ${single} to a single replica` : limit
  const missing = run.plan.length - cells.length
  const shared = run.target === null ? 'Load generator, HAProxy and all replicas share this one machine: ' : 'Target '
  return [
    run.quick ? '**A quick run: it shows that everything works, its figures are not to be quoted.**' : '',
    missing > 0 ? `**Incomplete: ${missing} of ${run.plan.length} cells have not been measured.**` : '',
    `\`${commandOf(run)}\`, begun ${run.startedAt}, on ${cores} cores of ${cpu}. ${
      run.target === null
        ? `${shared}what one of them uses the others lack, and more replicas add no cores.${balance ? ` HAProxy has \`balance ${balance}\`${limits}.` : ''}`
        : `${shared}${run.target}.`
    }`,
    `RPS counts good answers: status 2xx, and not found wrong by the check of one in 50. Failures are everything else that was sent: other statuses, errors, lost requests, wrong forecasts. ${LATENCIES[run.generator]}`
  ].filter(text => text !== '')
}

function phaseSections(run: Run, cells: readonly Cell[]): string[] {
  return phases(run, cells).flatMap(({ title, conditions, rows }) => [
    `## ${title}`,
    conditions,
    markdownTable(COLUMNS, rows.map(rowTexts)),
    ...(rows[0]!.phase === 'standalone' ? publishedTexts(rows) : [])
  ])
}

/** The earlier table beside ours, and what its figures say about the think time of its users. */
function publishedTexts(rows: readonly Row[]): string[] {
  const beside = rows.map(({ replicas, users, rps, thinkMs, cells }) => {
    const latencyMs = mean(cells.map(cell => cellFigures(cell).meanMs))
    const published = PUBLISHED.rps[replicas]
    const product = (rps.median * (latencyMs + thinkMs)) / 1000
    return [
      String(replicas),
      published ? String(published) : '',
      figure(rps),
      `${users} users = ${digits(rps.median)}/s x (${digits(latencyMs)} ms + ${thinkMs} ms) = ${digits(product)}`
    ]
  })
  const cycleMs = (PUBLISHED.users / PUBLISHED.rps[1]!) * 1000
  const thinkMs = cycleMs - PUBLISHED.medianMs
  const thinkS = thinkMs / 1000
  return [
    markdownTable(['Inference Replicas', "RPS, report's Python system", 'RPS, this service', "Little's law"], beside),
    `The report's earlier system answered ${PUBLISHED.rps[1]} requests a second to ${PUBLISHED.users} users at a median of ${PUBLISHED.medianMs} ms. By Little's law users = RPS x (latency + think time): ${PUBLISHED.users} = ${PUBLISHED.rps[1]} x (${PUBLISHED.medianMs / 1000} s + think time) holds for a think time of ${twoPlaces(thinkS)} s. So each user thought for ${twoPlaces(thinkS)} s between requests, and the think time limited the throughput, not the server: ${sameLoad(rows, thinkMs)}.`
  ]
}

/** Share by which a think time may be off that makes the published load. */
const NEAR = 0.05

/** Whether the published columns and ours are of the same load, and what then can be compared. */
function sameLoad(rows: readonly Row[], thinkMs: number): string {
  if (rows.some(row => Math.abs(row.thinkMs / thinkMs - 1) > NEAR || row.users !== PUBLISHED.users)) {
    return `the two columns are not the same load (\`--preset standalone --think ${Math.round(thinkMs / 10) * 10}\` measures that one)`
  }
  const medians = rows.map(({ replicas, p50Ms }) => `${figure(p50Ms)} ms with ${replicas}`)
  return `the two columns are of the same load here, and what differs is the latency: a median of ${PUBLISHED.medianMs} ms there, here ${medians.join(', ')}`
}

/** What was typed. */
function commandOf({ args }: Pick<Run, 'args'>): string {
  return ['npm run bench', ...(args.length > 0 ? ['--'] : []), ...args].join(' ')
}

function fingerprintSection({ fingerprint, seed, steps, args }: Run): string[] {
  const rows = Object.entries({ ...fingerprint, seed, steps, command: commandOf({ args }) })
  return [
    '## Fingerprint',
    markdownTable(
      ['what', 'value'],
      rows.map(([name, value]) => [name, String(value ?? '')])
    )
  ]
}
