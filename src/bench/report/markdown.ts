import { cellFigures, type Row, tableRows, usersByLittle } from '../analysis/figures.js'
import { mean } from '../analysis/statistics.js'
import { callForm } from '../results/calls.js'
import type { Cell } from '../results/cell.schema.js'
import type { Run } from '../results/run.schema.js'
import { detailSection } from './details.js'
import { counted, digits, figure, markdownTable, notes, seconds, twoPlaces } from './format.js'

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
  autocannon: 'Latencies are those of 2xx answers, from histograms in microseconds merged over all load workers.',
  locust:
    'Locust sent the load. Latencies are those of all requests, failures included. Locust rounds latencies to whole ms below 100, and to two significant digits above.'
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

/** Column behind `RPS (req/s)` where calls may carry several windows. */
const FORECASTS = 'Forecasts (1/s)'

/** The columns of a run's tables. */
const columnsOf = (run: Run): string[] =>
  COLUMNS.flatMap(name => (name === 'RPS (req/s)' && isOfCalls(run) ? [name, FORECASTS] : [name]))

const isOfCalls = (run: Run): boolean => callForm(run).protocol !== 'predict'

/** A line of a phase's table. */
function rowTexts(run: Run, { replicas, users, cells, ...row }: Row): string[] {
  const { rps, forecastsPerSecond, p50Ms, p95Ms, p99Ms, failurePercent } = row
  return [
    String(replicas),
    String(users),
    figure(rps),
    ...(isOfCalls(run) ? [figure(forecastsPerSecond)] : []),
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
  const places = [...new Set(rows.map(({ phase, loadWorkers }) => `${phase}/${loadWorkers}`))]
  return places.map(place => {
    const inPhase = rows.filter(({ phase, loadWorkers }) => `${phase}/${loadWorkers}` === place)
    const [{ phase, loadWorkers, thinkMs, durationMs, cells }] = inPhase as [Row]
    const name = { 1: 'Phase 1: ', 2: 'Phase 2: ', standalone: 'Standalone: ', custom: '' }[phase]
    const pause =
      thinkMs === 0
        ? 'Each user sends the next request at once after an answer (think time 0 ms).'
        : `Each user thinks for ${thinkMs} ms between an answer and the next request.`
    const repeats = cells.length > 1 ? ` Figures are medians of ${cells.length} repeats [95 % t-interval].` : ''
    return {
      title: `${name}${loadWorkers} load workers`,
      conditions: `${pause} Each cell is measured for ${seconds(durationMs)} after its warm-up.${repeats}${run.quick ? ' **Quick: not for quoting.**' : ''}`,
      rows: inPhase
    }
  })
}

function headSection(run: Run, cells: readonly Cell[]): string[] {
  const { cpu, cores, balance, maxconn } = run.fingerprint
  const [each, single] = maxconn?.split(', alone ') ?? []
  const toSingle = single ? `, and ${single} to a single replica` : ''
  const limits = each ? ` HAProxy allows ${each} concurrent requests to each of several replicas${toSingle}.` : ''
  const missing = run.plan.length - cells.length
  const shared = run.target === null ? 'The load generator, HAProxy and all replicas share this machine. ' : 'Target '
  return [
    run.quick ? '**A quick run: it shows that everything works, its figures are not to be quoted.**' : '',
    missing > 0 ? `**Incomplete: ${missing} of ${run.plan.length} cells have not been measured.**` : '',
    `\`${commandOf(run)}\` was started at ${run.startedAt} on ${cores} cores of ${cpu}. ${
      run.target === null
        ? `${shared}CPU that one of them uses is missing for the others, and more replicas add no cores.${balance ? ` HAProxy uses \`balance ${balance}\`.${limits}` : ''}`
        : `${shared}${run.target}.`
    }`,
    `${countingTexts(run)} ${LATENCIES[run.generator]}`
  ].filter(text => text !== '')
}

/** What the table counts. */
function countingTexts(run: Run): string {
  const { protocol, windows } = callForm(run)
  if (!isOfCalls(run)) {
    return 'RPS counts good answers: status 2xx, and not found wrong. One answer in 50 is compared with its forecast. Failures are all other requests: other statuses, errors, lost requests and wrong forecasts.'
  }
  return `Each request is a call of \`${protocol}\` with ${counted(windows, 'window')}. RPS counts the calls with status 2xx and a forecast for every window. Forecasts counts the windows that got a forecast. One call in 50 is compared, with every window. The share of calls that differed is taken off both. Failures are the windows without a right forecast, in percent of all windows that were sent.`
}

function phaseSections(run: Run, cells: readonly Cell[]): string[] {
  return phases(run, cells).flatMap(({ title, conditions, rows }) => [
    `## ${title}`,
    conditions,
    markdownTable(
      columnsOf(run),
      rows.map(row => rowTexts(run, row))
    ),
    ...(rows[0]!.phase === 'standalone' ? publishedTexts(rows) : [])
  ])
}

/** The earlier table beside ours, and what its figures say about the think time of its users. */
function publishedTexts(rows: readonly Row[]): string[] {
  const beside = rows.map(({ replicas, users, rps, thinkMs, cells }) => {
    const latencyMs = mean(cells.map(cell => cellFigures(cell).meanMs))
    const published = PUBLISHED.rps[replicas]
    const product = usersByLittle(rps.median, latencyMs, thinkMs)
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
    `The report's earlier system answered ${PUBLISHED.rps[1]} requests a second to ${PUBLISHED.users} users at a median of ${PUBLISHED.medianMs} ms. By Little's law, users = RPS x (latency + think time). With these figures, ${PUBLISHED.users} = ${PUBLISHED.rps[1]} x (${PUBLISHED.medianMs / 1000} s + think time) holds for a think time of ${twoPlaces(thinkS)} s. So each user thought for ${twoPlaces(thinkS)} s between requests. The think time, not the server, limited the throughput. ${sameLoad(rows, thinkMs)}.`
  ]
}

/** Share by which a think time may be off that makes the published load. */
const NEAR = 0.05

/** Whether the published columns and ours are of the same load, and what then can be compared. */
function sameLoad(rows: readonly Row[], thinkMs: number): string {
  if (rows.some(row => Math.abs(row.thinkMs / thinkMs - 1) > NEAR || row.users !== PUBLISHED.users)) {
    return `The two columns are not the same load: \`--preset standalone --think ${Math.round(thinkMs / 10) * 10}\` measures the load of the earlier system`
  }
  const medians = rows.map(({ replicas, p50Ms }) => `${figure(p50Ms)} ms with ${counted(replicas, 'replica')}`)
  return `Both columns have the same load. The medians differ: ${PUBLISHED.medianMs} ms in the earlier system, and here ${medians.join(', ')}`
}

/** What was typed. */
function commandOf({ args }: Pick<Run, 'args'>): string {
  return ['npm run bench', ...(args.length > 0 ? ['--'] : []), ...args].join(' ')
}

function fingerprintSection(run: Run): string[] {
  const { fingerprint, seed, steps, args } = run
  const calls = isOfCalls(run) ? callForm(run) : {}
  const rows = Object.entries({ ...fingerprint, seed, steps, ...calls, command: commandOf({ args }) })
  return [
    '## Fingerprint',
    markdownTable(
      ['what', 'value'],
      rows.map(([name, value]) => [name, String(value ?? '')])
    )
  ]
}
