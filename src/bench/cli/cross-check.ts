import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommand } from './cli.js'
import { BenchError } from '../errors.js'
import { CROSS_CHECK } from '../report/cross-check.js'
import { callForm } from '../results/calls.js'
import type { Cell, PlannedCell } from '../results/cell.schema.js'
import { openRun } from '../results/store.js'
import { LEAST_REQUESTS } from '../stack/balance.js'
import type { SweepRequest } from '../sweep/sweep.js'

/** A small, a middle and a large cell of the report's matrix. */
const WANTED = [
  { replicas: 1, users: 200 },
  { replicas: 2, users: 400 },
  { replicas: 8, users: 800 }
]

/** The phase whose cells are taken: the first of these that has any. */
const PHASES: PlannedCell['phase'][] = ['1', '2', 'custom', 'standalone']

/**
 * The sweep by Locust that goes beside a folder of results: some of its cells under its own conditions, in a folder
 * within it. One that was interrupted is gone on with.
 * @param port of HAProxy
 * @throws BenchError `bad_results` for a folder that is none, has no cell yet, is of Locust itself, or has calls that Locust does not send
 */
export async function crossCheckRequest(
  folder: string,
  port: number
): Promise<Pick<SweepRequest, 'options' | 'plan' | 'resume'>> {
  const { run, cells } = await openRun(folder)
  const command = parseCommand(run.args, new Date(run.startedAt))
  if (command.name !== 'sweep') throw new BenchError('bad_results', `${folder}: run.json is not of a sweep`)
  if (run.generator === 'locust') throw new BenchError('bad_results', `${folder} was measured with Locust itself`)
  const { protocol } = callForm(run)
  if (protocol !== 'predict')
    throw new BenchError(
      'bad_results',
      `${folder} was measured with --protocol ${protocol}, which Locust does not send`
    )
  if (cells.length === 0) throw new BenchError('bad_results', `${folder} has no cell that could be measured again`)
  const out = join(folder, CROSS_CHECK)
  const balance = run.fingerprint.balance ?? LEAST_REQUESTS
  return {
    options: { ...command.options, generator: 'locust', out, port, balance, uiPort: undefined },
    plan: chooseCells(cells),
    resume: existsSync(join(out, 'run.json'))
  }
}

/** The cells of one phase that are nearest to the wanted ones in proportion, each once. */
export function chooseCells(cells: readonly Cell[]): PlannedCell[] {
  const first = cells.map(({ plan }) => plan).filter(({ repeat }) => repeat === 1)
  const phase = PHASES.find(name => first.some(plan => plan.phase === name))
  const left = new Set(first.filter(plan => plan.phase === phase))
  return WANTED.flatMap(wanted => {
    const distance = ({ replicas, users }: PlannedCell): number =>
      Math.abs(Math.log(replicas / wanted.replicas)) + Math.abs(Math.log(users / wanted.users))
    const [nearest] = [...left].toSorted((a, b) => distance(a) - distance(b))
    if (!nearest) return []
    left.delete(nearest)
    return [nearest]
  })
}
