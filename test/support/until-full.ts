/** Keeps cells in the folder that is named until the disk is full; prints how that ended and what can be read then. */
import { appendCell, createRun, openRun } from '../../src/bench/results/store.js'
import { benchCell, benchRun } from './bench-cells.js'

const MOST = 10_000
const [folder] = process.argv.slice(2) as [string]
const cell = benchCell()
await createRun(folder, benchRun([cell]))
let kept = 0
try {
  for (; kept < MOST; kept++) await appendCell(folder, cell)
} catch (error) {
  const { code, message } = error as Error & { code: string }
  const { cells, isTorn } = await openRun(folder)
  console.log(JSON.stringify({ code, message, kept, read: cells.length, isTorn }))
}
