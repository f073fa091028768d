import { openRun, writeWhole } from '../results/store.js'
import { analysisSection } from './analysis.js'
import { resultsCsv } from './csv.js'
import { htmlPage } from './html.js'
import { resultsMarkdown } from './markdown.js'

/**
 * Draws the report of a folder of results into it: RESULTS.md, report.html, results.csv. What was there is replaced.
 * @throws BenchError `bad_results` when the folder is not one, `disk` when it cannot be written
 */
export async function drawReport(folder: string): Promise<void> {
  const { run, cells } = await openRun(folder)
  const markdown = resultsMarkdown(run, cells, analysisSection(run, cells))
  await writeWhole(folder, 'RESULTS.md', markdown)
  await writeWhole(folder, 'report.html', await htmlPage(run, cells, markdown))
  await writeWhole(folder, 'results.csv', resultsCsv(cells))
}
