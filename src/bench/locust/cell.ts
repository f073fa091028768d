import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CellRequest, CellWatcher } from '../cell/cell.js'
import { IntervalWatch } from './watch.js'
import { writePayload } from './payload.js'
import type { LocustOptions } from './commands.js'
import { type LocustFigures, runLocust } from './sweep.js'
import { cellRecord } from '../cell/cell-record.js'
import type { Cell } from '../results/cell.schema.js'
import type { Target } from '../stack/target.js'
import { total } from '../samples/answers.js'
import { isSteady } from '../cell/warm-up.js'
import { countAnswers } from '../watch/reading.js'

/** Parts in which load/locustfile.py counts the warm-up; the last three must agree. Locust cannot prolong it. */
const WARM_UP_PARTS = 4

/**
 * Measures one cell with Locust: scale, run Locust's master and load workers, read the server's side at both ends of their
 * interval, check.
 * @throws the signal's reason when it is aborted, and BenchError when a part fails; no load is left then
 */
export async function runLocustCell(
  order: CellRequest,
  target: Target,
  watcher: CellWatcher,
  signal: AbortSignal
): Promise<Cell> {
  const { plan } = order
  const startedAt = new Date().toISOString()
  const replicas = await target.scale(plan.replicas)
  const answersOfReplicas = await countAnswers(replicas)
  const watch = new IntervalWatch(target, replicas)
  const outDir = await mkdtemp(join(tmpdir(), 'bench-locust-'))
  try {
    watcher.began('warm-up')
    const figures = await runLocust({
      ...(await locustOptions(order, target, outDir)),
      signal,
      onInterval: edge => {
        if (edge === 'begins') watcher.began('measured interval')
        watch.onEdge(edge)
      }
    })
    const read = await watch.figures()
    const wholeOk = await answersOfReplicas()
    const ours = cellFigures(figures, order)
    return cellRecord({ plan, order: order.order, startedAt, replicas, wholeOk, ...read, ...ours }, target)
  } finally {
    watch.stop()
    await rm(outDir, { recursive: true })
  }
}

async function locustOptions({ plan, cases, warmUp, uiPort }: CellRequest, { url }: Target, outDir: string) {
  const { users, workers: loadWorkers, durationMs, thinkMs } = plan
  const bodiesFile = join(outDir, 'payload.jsonl')
  await writePayload(bodiesFile, cases)
  return {
    url,
    users,
    loadWorkers,
    durationMs,
    thinkMs,
    bodiesFile,
    outDir,
    warmUpMs: WARM_UP_PARTS * warmUp.intervalMs,
    webPort: uiPort
  } satisfies LocustOptions
}

function cellFigures(figures: LocustFigures, { warmUp: { intervalMs } }: CellRequest) {
  const { row, wholeRow, warmUp, generator, ...load } = figures
  const intervals = warmUp.map(count => (count * 1000) / intervalMs)
  const { medianMs: median, p95Ms: p95, p99Ms: p99, meanMs: mean } = row
  return {
    warmUp: { seconds: (intervalMs * warmUp.length) / 1000, windows: intervals, steady: isSteady(intervals) },
    // Locust says of a connection that was closed without an answer which error it was.
    load: { ...load, lost: 0, latencyUs: null, latencyMs: { median, p95, p99, mean } },
    generator,
    notes: notesOf(figures)
  }
}

/** What has to be known of Locust's figures, and where its CSV is not what its load workers counted. */
function notesOf({ row, wholeRow, whole, completed, errors }: LocustFigures): string[] {
  const counted = [completed + total(errors), whole.completed + whole.errors]
  const written = [row.requests, wholeRow.requests]
  return [
    "Locust's latencies are rounded",
    ...(row.failures > 0 ? ["Locust's latencies are of failures too"] : []),
    ...(counted.join() === written.join()
      ? []
      : [`Locust's CSV has ${written.join(' and ')} requests, its load workers ${counted.join(' and ')}`])
  ]
}
