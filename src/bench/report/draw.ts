import { openRun, writeWhole } from '../results/store.js'
import { resultsCsv } from './csv.js'
import { resultsMarkdown } from './markdown.js'

/**
 * Draws the report of a folder of results into it: RESULTS.md, results.csv. What was there is replaced.
 * @throws BenchError `bad_results` when the folder is not one, `disk` when it cannot be written
 */
export async function drawReport(folder: string): Promise<void> {
  const { run, cells } = await openRun(folder)
  await writeWhole(folder, 'RESULTS.md', resultsMarkdown(run, cells))
  await writeWhole(folder, 'results.csv', resultsCsv(cells))
}
