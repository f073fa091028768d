import { createHash } from 'node:crypto'
import { type CellRequest, type CellWatcher, runCell } from '../cell/cell.js'
import type { LiveState } from '../live/state.js'
import { firstCall } from '../load/calls/first-call.js'
import { PROTOCOLS } from '../load/calls/protocol.js'
import { type Case, loadCases } from '../load/cases.js'
import { runLocustCell } from '../locust/cell.js'
import type { SweepOptions } from '../options.js'
import { warmUpOf } from './plan.js'
import type { Cell, PlannedCell } from '../results/cell.schema.js'
import { gatherFingerprint } from '../results/fingerprint.js'
import type { Hold } from '../results/hold.js'
import type { Run } from '../results/run.schema.js'
import { appendCell, createRun, missingCells, openRun, refuseOther } from '../results/store.js'
import { askModel, type ServedModel } from '../stack/model.js'
import { openTarget, type Target, whileAlive } from '../stack/target.js'

/** A sweep to be begun, or to be gone on with. */
export interface SweepRequest {
  options: SweepOptions
  /** in the order in which they are to be run */
  plan: PlannedCell[]
  /** the command line as it was typed after `npm run bench --` */
  args: string[]
  /** the folder holds a run of this plan already, of which some cells are missing */
  resume: boolean
  live: LiveState
  /** of the folder; taken by now where the folder is there */
  hold: Hold
  signal: AbortSignal
}

/**
 * Runs what is missing of a plan, cell by cell.
 * @returns the cells that the results have now
 * @throws the signal's reason, or BenchError; cells that had ended are kept, everything that was started is stopped
 */
export async function runSweep(order: SweepRequest): Promise<Cell[]> {
  const { options, live } = order
  const most = Math.max(...order.plan.map(({ replicas }) => replicas))
  const target = await openTarget(options, most)
  try {
    const model = await askModel(target.url)
    const cases = await loadCases({ url: target.url, payload: options.payload, steps: options.steps, served: model })
    const sending = await sendingOf(order, target, cases, model)
    const run = await describeRun(order, target, { ...model, payload: digestOf(cases) })
    await order.hold.take()
    if (order.resume) refuseOther((await openRun(options.out)).run, run)
    else await createRun(options.out, run)
    live.planned(run)
    await runCells(order, target, sending)
  } finally {
    await target.stop()
    live.finished()
  }
  return (await openRun(options.out)).cells
}

type Sending = Pick<CellRequest, 'cases' | 'calls' | 'path'>

/** What every cell sends. Calls of another kind than `POST /predict` are tried first. */
async function sendingOf(
  { options }: SweepRequest,
  { url }: Target,
  cases: readonly Case[],
  { name, features, rows }: ServedModel
): Promise<Sending> {
  const { protocol, windows } = options
  const sending = { cases, calls: { protocol, windows, features, rows }, path: PROTOCOLS[protocol].path(name) }
  if (protocol !== 'predict') await firstCall(`${url}${sending.path}`, cases, sending.calls)
  return sending
}

async function runCells(order: SweepRequest, target: Target, sending: Sending): Promise<void> {
  const { options, plan, live, signal } = order
  const { run, cells } = await openRun(options.out)
  const measure = options.generator === 'locust' ? runLocustCell : runCell
  for (const cell of cells) live.ended(cell)
  for (const planned of missingCells(run, cells)) {
    signal.throwIfAborted()
    const index = plan.findIndex(({ key }) => key === planned.key)
    const { seed, uiPort } = options
    const ordered = {
      plan: planned,
      order: index,
      seed: seed + index,
      warmUp: warmUpOf(planned, options),
      ...sending,
      uiPort
    }
    const watcher: CellWatcher = {
      began: stage => live.began(planned.key, stage),
      tick: tick => live.tick(tick)
    }
    const cell = await whileAlive(target, signal, within => measure(ordered, target, watcher, within))
    await order.hold.check()
    await appendCell(options.out, cell)
    live.ended(cell)
  }
}

interface Digests extends ServedModel {
  payload: string
}

async function describeRun({ options, plan, args }: SweepRequest, target: Target, of: Digests): Promise<Run> {
  return {
    schema: 1,
    startedAt: new Date().toISOString(),
    quick: options.quick,
    generator: options.generator,
    seed: options.seed,
    args,
    target: options.target ?? null,
    steps: options.steps,
    ...(options.protocol !== 'predict' && { protocol: options.protocol, windows: options.windows }),
    plan,
    fingerprint: await gatherFingerprint({
      haproxy: target.haproxy?.version ?? null,
      balance: target.balance,
      maxconn: target.maxconn,
      modelDigest: of.digest,
      modelVersion: of.version,
      payloadDigest: of.payload
    })
  }
}

/** Of the bodies in their order. */
function digestOf(cases: readonly Case[]): string {
  return createHash('sha256')
    .update(cases.map(({ body }) => body).join('\n'))
    .digest('hex')
}
