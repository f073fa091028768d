import { median } from '../analysis/statistics.js'
import { digits, markdownTable, percent, twoPlaces } from '../report/format.js'

/** One server in one round. */
export interface Sample {
  /** good answers a second */
  rps: number
  /** of the server's whole process, all threads */
  cpuUsPerRequest: number
  /** CPU of the load worker, as a share of one core */
  loadWorkerShare: number
}

/** Rows a second in one round, each measured in a process of its own. */
export interface RowsSample {
  batchPath: number
  bare: number
}

/** What was measured, round by round: figures of one index were taken right behind one another. */
export interface CeilingTable {
  /** in one line: what machine, how many rounds of what length */
  setting: string
  nodeHttp: Sample[]
  fastify: Sample[]
  service: Sample[]
  rows: RowsSample[]
  /** rows a batch of bare onnxruntime, and of the batch path at the most */
  batch: number
}

const WHAT_IT_MEANS = `Servers and load worker share the machine's cores. Each figure is the median of the rounds; a ratio is the median of the
rounds' own ratios, with the least and the greatest in brackets. Where the load worker has about a whole core, it is what limits
the rate, and the CPU a request is what tells the servers apart.`

/** The table as Markdown. */
export function renderCeiling(table: CeilingTable): string {
  const servers = [
    ['bare node:http echo', table.nodeHttp],
    ['Fastify echo', table.fastify],
    ['this service', table.service]
  ] as const
  const rows = servers.map(([name, samples]) => [
    name,
    digits(median(samples.map(({ rps }) => rps))),
    ratio(samples, table.nodeHttp, ({ rps }) => rps),
    ratio(samples, table.fastify, ({ rps }) => rps),
    digits(median(samples.map(({ cpuUsPerRequest }) => cpuUsPerRequest))),
    ratio(samples, table.fastify, ({ cpuUsPerRequest }) => cpuUsPerRequest),
    percent(median(samples.map(({ loadWorkerShare }) => loadWorkerShare)))
  ])
  const head = ['Server', 'RPS (req/s)', 'to node:http', 'to Fastify']
  const http = markdownTable([...head, 'CPU (us/request)', 'CPU to Fastify', 'Load worker (of a core)'], rows)
  return [table.setting, http, rowsTable(table), WHAT_IT_MEANS].join('\n\n')
}

function rowsTable({ rows, batch }: CeilingTable): string {
  const texts = [
    digits(median(rows.map(({ batchPath }) => batchPath))),
    digits(median(rows.map(({ bare }) => bare))),
    ratioText(rows.map(({ batchPath, bare }) => batchPath / bare))
  ]
  return markdownTable(['Batch path (rows/s)', `Bare onnxruntime, batch ${batch} (rows/s)`, 'Ratio'], [texts])
}

function ratio(samples: readonly Sample[], yardstick: readonly Sample[], of: (sample: Sample) => number): string {
  return samples === yardstick ? '1' : ratioText(samples.map((sample, round) => of(sample) / of(yardstick[round]!)))
}

function ratioText(ratios: readonly number[]): string {
  return `${twoPlaces(median(ratios))} [${twoPlaces(Math.min(...ratios))}, ${twoPlaces(Math.max(...ratios))}]`
}
