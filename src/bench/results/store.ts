import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { BenchError } from '../errors.js'
import { callForm } from './calls.js'
import { type Cell, CellSchema, type PlannedCell } from './cell.schema.js'
import { type Run, RunSchema } from './run.schema.js'

const RUN = 'run.json'
const CELLS = 'cells.jsonl'
const NEWLINE = 10

const ajv = new Ajv({ allowUnionTypes: true })
const isRun: ValidateFunction<Run> = ajv.compile(RunSchema)
const isCell: ValidateFunction<Cell> = ajv.compile(CellSchema)

/** A folder of results as it is read. */
export interface StoredRun {
  run: Run
  /** in the order in which they were measured */
  cells: Cell[]
  /** whether the last line had been cut off by a crash: its cell counts as not measured */
  isTorn: boolean
}

/**
 * Begins a folder of results.
 * @throws BenchError `bad_results` when it holds a run already, `disk` when it cannot be written
 */
export async function createRun(folder: string, run: Run): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, RUN), `${JSON.stringify(run, null, 2)}\n`, { flag: 'wx' })
    await writeFile(join(folder, CELLS), '')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new BenchError('bad_results', `${folder} holds a run already: --resume ${folder} goes on with it`, {
        cause
      })
    }
    throw diskError(folder, cause)
  }
}

/** Writes a file of a folder of results whole or not at all. */
export async function writeWhole(folder: string, name: string, content: string): Promise<void> {
  const path = join(folder, name)
  // A report may be drawn by several processes at once.
  const draft = `${path}.${process.pid}.new`
  try {
    await writeFile(draft, content)
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw diskError(folder, cause)
  }
}

/**
 * Reads a folder of results.
 * @throws BenchError `bad_results` with the file, and the line, that is not what it should be
 */
export async function openRun(folder: string): Promise<StoredRun> {
  const run = check(isRun, await readText(folder, RUN), join(folder, RUN))
  const lines = (await readText(folder, CELLS)).split('\n')
  const isTorn = lines.pop() !== ''
  const cells = lines.map((line, index) => check(isCell, line, `${join(folder, CELLS)}, line ${index + 1}`))
  return { run, cells, isTorn }
}

/**
 * Adds a cell as one line that is on the disk when this resolves. What a crash had left of a line is cut off first.
 * @throws BenchError `disk` when it cannot be written; the lines before it are whole then
 */
export async function appendCell(folder: string, cell: Cell): Promise<void> {
  let file: FileHandle | undefined
  try {
    file = await open(join(folder, CELLS), 'r+')
    const whole = await lengthOfWholeLines(file)
    await file.truncate(whole)
    try {
      const line = Buffer.from(`${JSON.stringify(cell)}\n`)
      // A disk that has room for a part takes that part without an error; the next write has it.
      for (let at = 0; at < line.length;) {
        at += (await file.write(line, at, line.length - at, whole + at)).bytesWritten
      }
      await file.datasync()
    } catch (error) {
      await file.truncate(whole)
      throw error
    }
  } catch (cause) {
    throw diskError(folder, cause)
  } finally {
    await file?.close()
  }
}

/** The cells of the plan that have not been measured, in its order. */
export function missingCells(run: Run, cells: readonly Cell[]): PlannedCell[] {
  const measured = new Set(cells.map(({ plan }) => plan.key))
  return run.plan.filter(({ key }) => !measured.has(key))
}

/**
 * Refuses to go on with a run under other conditions, whose cells would stand beside each other in one table.
 * @throws BenchError `different_run` with the first condition that differs
 */
export function refuseOther(before: Run, now: Run): void {
  const conditions = (run: Run): [string, unknown][] => [
    ...Object.entries(run.fingerprint).filter(([name]) => name !== 'dirty'),
    ...Object.entries({ target: run.target, steps: run.steps, generator: run.generator, ...callForm(run), plan: run.plan })
  ]
  const wanted = new Map(conditions(now))
  for (const [name, value] of conditions(before)) {
    const [was, is] = [JSON.stringify(value), JSON.stringify(wanted.get(name))]
    if (was === is) continue
    const how = name === 'plan' ? '' : `: it was ${was}, now it is ${is}`
    throw new BenchError('different_run', `cannot go on with this run, its ${name} differs${how}`)
  }
}

function check<Checked>(isValid: ValidateFunction<Checked>, text: string, where: string): Checked {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BenchError('bad_results', `${where} is not JSON`, { cause })
  }
  if (isValid(value)) return value
  throw new BenchError('bad_results', `${where}: ${ajv.errorsText(isValid.errors, { dataVar: '' })}`)
}

async function readText(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (cause) {
    throw new BenchError('bad_results', `${folder} has no ${name} that can be read`, { cause })
  }
}

/** Bytes up to the end of the last line that ends. */
async function lengthOfWholeLines(file: FileHandle): Promise<number> {
  const content = await file.readFile()
  return content.lastIndexOf(NEWLINE) + 1
}

export function diskError(folder: string, cause: unknown): BenchError {
  const { code, message } = cause as NodeJS.ErrnoException
  const reason = code === 'ENOSPC' ? 'the disk is full' : message
  return new BenchError('disk', `cannot write to ${folder}: ${reason}; what was there is kept`, { cause })
}
