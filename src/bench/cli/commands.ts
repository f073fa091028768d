import type { Command } from './cli.js'
import { parseCommand } from './cli.js'
import { crossCheckRequest } from './cross-check.js'
import { BenchError } from '../errors.js'
import { type LivePage, startPage } from '../live/page.js'
import { showProgress } from '../live/progress.js'
import { LiveState } from '../live/state.js'
import type { SweepOptions } from '../options.js'
import { longest, planCells } from '../sweep/plan.js'
import { compareRuns } from '../report/compare.js'
import { renderReport } from '../report/render.js'
import { cellFigures } from '../analysis/figures.js'
import type { Cell, PlannedCell } from '../results/cell.schema.js'
import { counted } from '../report/format.js'
import { Hold } from '../results/hold.js'
import { openRun } from '../results/store.js'
import { runSlo } from '../slo/find.js'
import { Stopped } from './stop.js'
import { runSweep, type SweepRequest } from '../sweep/sweep.js'

/** How a command is run. */
export interface Surroundings {
  /** the words of the command line */
  args: string[]
  /** its signal ends the command in order */
  stopping: AbortController
}

/** Runs a command to its end and resolves to the exit code: 0, or 1 for a finding. */
export async function runCommand(command: Exclude<Command, { name: 'help' }>, around: Surroundings): Promise<number> {
  switch (command.name) {
    case 'sweep':
      return sweep({ options: command.options, args: around.args, resume: false }, around)
    case 'resume':
      return resume(command.folder, command.uiPort, around)
    case 'report':
      await renderReport(command.folder)
      console.log(`${command.folder}/RESULTS.md`)
      return 0
    case 'compare': {
      const { text, regressed } = await compareRuns(command.before, command.after)
      console.log(text)
      return regressed ? 1 : 0
    }
    case 'cross-check':
      return crossCheck(command, around)
    case 'slo':
      console.log(await runSlo(command.options, around.stopping.signal))
      return 0
  }
}

async function sweep(
  order: Pick<SweepRequest, 'options' | 'args' | 'resume'> & { plan?: PlannedCell[] },
  { stopping }: Surroundings
): Promise<number> {
  const { signal } = stopping
  const hold = new Hold(order.options.out)
  await hold.takeIfThere()
  const live = new LiveState(why => stopping.abort(new Stopped(why)))
  showProgress(live, process.stderr)
  const plan = order.plan ?? planCells(order.options)
  const minutes = Math.ceil(longest(plan, order.options) / 60_000)
  console.error(
    `bench: ${counted(plan.length, 'cell')} in at most about ${minutes} min, results in ${order.options.out}`
  )
  const page = await livePage(live, order.options)
  let cells: Cell[] = []
  try {
    cells = await runSweep({ ...order, plan, live, hold, signal })
  } finally {
    await page?.close()
    if (hold.isHeld) await drawIfBegun(order.options)
    await hold.release()
  }
  return exitCodeOf(cells)
}

/** 1 where a cell has no good answer, or a wrong one: its figures are no speed of anything. */
function exitCodeOf(cells: readonly Cell[]): number {
  const dead = cells.filter(cell => cellFigures(cell).good === 0)
  const wrong = cells.filter(({ load }) => load.mismatched > 0)
  if (dead.length > 0) console.error(`bench: no good answer in ${counted(dead.length, 'cell')}: ${keysOf(dead)}`)
  if (wrong.length > 0) console.error(`bench: wrong forecasts in ${counted(wrong.length, 'cell')}: ${keysOf(wrong)}`)
  return dead.length + wrong.length > 0 ? 1 : 0
}

const keysOf = (cells: readonly Cell[]): string => cells.map(({ plan }) => plan.key).join(', ')

/** Locust brings its own, which is there while a cell runs. */
async function livePage(live: LiveState, { uiPort, generator }: SweepOptions): Promise<LivePage | undefined> {
  if (uiPort === undefined) return undefined
  if (generator === 'locust') {
    console.error(`bench: Locust's page is at http://127.0.0.1:${uiPort} while it measures a cell`)
    return undefined
  }
  const page = await startPage(live, uiPort)
  console.error(`bench: live at ${page.url}`)
  return page
}

/** Measures some cells of a folder of results again with Locust, and draws its report with both. */
async function crossCheck({ folder, port }: { folder: string; port: number }, around: Surroundings): Promise<number> {
  const order = await crossCheckRequest(folder, port)
  const hold = new Hold(folder)
  await hold.take()
  try {
    return await sweep({ ...order, args: around.args }, around)
  } finally {
    await renderReport(folder)
    await hold.release()
  }
}

/** Goes on with a run as its own command line says, in its own folder. */
async function resume(folder: string, uiPort: number | undefined, around: Surroundings): Promise<number> {
  const { run } = await openRun(folder)
  const command = parseCommand(run.args, new Date(run.startedAt))
  if (command.name !== 'sweep') throw new BenchError('bad_results', `${folder}: run.json is not of a sweep`)
  const options = { ...command.options, out: folder, uiPort }
  return sweep({ options, args: run.args, resume: true }, around)
}

/** A sweep that was stopped has a report of what was measured; one that could not begin has none. */
async function drawIfBegun({ out }: SweepOptions): Promise<void> {
  try {
    await renderReport(out)
    console.error(`bench: ${out}/RESULTS.md`)
  } catch (error) {
    if (!(error instanceof BenchError && error.code === 'bad_results')) throw error
  }
}
